/* Runs an AVR program in libsimavr, cycle by cycle and the same each time:

     avr_run [options] image.elf          cc -I/usr/include/simavr -o avr_run avr_run.c -lsimavr

     --mcu NAME        atmega328p
     --hz N            16000000
     --cycles N        the budget; exit 124 when it is exceeded (default: 60 s of the target's time)
     --uart FILE       the bytes of FILE arrive at the UART...
     --uart-at CYCLE   ...the first at this cycle (default: 10 ms)...
     --uart-rate BAUD  ...and then at this rate, ten bits a byte (default: 9600)
     --press MS:DOWN,.. a button on INT0 (PD2) against ground: 500:1,620:0 is down at 500 ms and up at 620 ms
     --irq-at CYCLE    INT0 changes at exactly this cycle, without bouncing
     --stats           one line to stderr: cycles, those asleep, wakes, the cycle of the first sleep, deepest stack in bytes,
                       RAM without it (.data + .bss), bytes sent by the UART, and the vectors of the interrupts that ended the
                       sleeps, each with its count: woken-by=11:40,12:3

   Exit: what the program wrote to GPIOR0 when it sleeps with interrupts off; 134 if it crashed; 2 for wrong usage.
   The program's UART output goes to stdout. */
#define _GNU_SOURCE
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "avr_ioport.h"
#include "avr_uart.h"
#include "sim_avr.h"
#include "sim_core.h"
#include "sim_cycle_timers.h"
#include "sim_elf.h"
#include "sim_interrupts.h"
#include "sim_irq.h"

#define GPIOR0 0x3E /* in data space */
#define SPL 0x5D
#define MAX_PRESSES 64
#define MAX_VECTORS 64

static avr_t *avr;
static FILE *uart_file;
static avr_cycle_count_t byte_cycles;
static avr_irq_t *button;
static struct press {
    avr_cycle_count_t at;
    int down;
} presses[MAX_PRESSES];
static int press_count, press_next;
static avr_cycle_count_t asleep, first_sleep;
static unsigned long sent;

static void usage(const char *why) {
    fprintf(stderr, "avr_run: %s\n", why);
    exit(2);
}

static avr_cycle_count_t number(const char *text) {
    char *end;
    unsigned long long n = strtoull(text, &end, 0);
    if (end == text || *end) usage("not a number");
    return n;
}

/* Instead of simavr's, which prints to stdout, where the program's output goes. */
static void log_errors(avr_t *a, const int level, const char *format, va_list arguments) {
    (void)a;
    if (level == LOG_ERROR) vfprintf(stderr, format, arguments);
}

/* One instruction, or the sleep until the next event. Instead of avr_run, which sleeps for real, and which differs from the chip in
   the two things that a port's sleep relies on:
   - After sei (and reti) exactly one instruction is executed before an interrupt (data sheet, Reset and Interrupt Handling).
     simavr executes two: then "sei, sleep, cli" would mask an interrupt again that is pending, and "sei, nop, sleep" would seem
     to be safe.
   - A sleep that begins with an interrupt pending ends at once. */
static int step(void) {
    avr_flashaddr_t next = avr->pc;
    avr_cycle_count_t idle;
    if (avr->state == cpu_Running) next = avr_run_one(avr);
    if (avr->interrupt_state == -2) avr->interrupt_state = -1; /* counts the instructions */
    idle = avr_cycle_timer_process(avr) + 1;
    avr->pc = next;
    if (avr->state == cpu_Sleeping && !avr->sreg[S_I]) avr->state = cpu_Done;
    if (avr->state == cpu_Sleeping && !avr_has_pending_interrupts(avr)) avr->cycle += idle, asleep += idle;
    if (avr->state == cpu_Running || avr->state == cpu_Sleeping) avr_service_interrupts(avr);
    return avr->state;
}

static void printed(avr_irq_t *irq, uint32_t value, void *arg) {
    (void)irq, (void)arg;
    sent++;
    putchar((int)(value & 0xFF));
}

static avr_cycle_count_t next_byte(avr_t *a, avr_cycle_count_t when, void *arg) {
    int c = getc(uart_file);
    (void)arg;
    if (c == EOF) return 0;
    avr_raise_irq(avr_io_getirq(a, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT), (uint32_t)c);
    return when + byte_cycles;
}

static avr_cycle_count_t next_press(avr_t *a, avr_cycle_count_t when, void *arg) {
    (void)a, (void)when, (void)arg;
    avr_raise_irq(button, !presses[press_next].down);
    return ++press_next < press_count ? presses[press_next].at : 0;
}

static int by_time(const void *a, const void *b) {
    const struct press *p = a, *q = b;
    return (p->at > q->at) - (p->at < q->at);
}

static void add_press(avr_cycle_count_t at, int down) {
    if (press_count == MAX_PRESSES) usage("too many presses");
    presses[press_count].at = at;
    presses[press_count++].down = down;
}

static void add_presses(const char *script, uint32_t hz) {
    unsigned long ms;
    int down, read;
    for (; sscanf(script, "%lu:%d%n", &ms, &down, &read) == 2; script += *script == ',') {
        add_press((avr_cycle_count_t)ms * (hz / 1000), down);
        script += read;
    }
    if (*script) usage("a script of presses is MS:DOWN,MS:DOWN,...");
}

int main(int argc, char **argv) {
    static const struct option options[] = {
        {"mcu", 1, 0, 'm'},       {"hz", 1, 0, 'h'},    {"cycles", 1, 0, 'c'}, {"uart", 1, 0, 'u'}, {"uart-at", 1, 0, 'a'},
        {"uart-rate", 1, 0, 'r'}, {"press", 1, 0, 'p'}, {"irq-at", 1, 0, 'i'}, {"stats", 0, 0, 's'}, {0, 0, 0, 0}};
    const char *mcu = "atmega328p", *script = "", *uart = NULL;
    avr_cycle_count_t budget = 0, irq_at = 0, uart_at = 0;
    unsigned long hz = 16000000, baud = 9600, wakes = 0, woken_by[MAX_VECTORS] = {0}, sp, deepest;
    uint32_t uart_flags = 0;
    int option, stats = 0, status, was_asleep = 0, vector;
    elf_firmware_t firmware = {0};

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) switch (option) {
        case 'm': mcu = optarg; break;
        case 'h': hz = number(optarg); break;
        case 'c': budget = number(optarg); break;
        case 'u': uart = optarg; break;
        case 'a': uart_at = number(optarg); break;
        case 'r': baud = number(optarg); break;
        case 'p': script = optarg; break;
        case 'i': irq_at = number(optarg); break;
        case 's': stats = 1; break;
        default: return 2;
        }
    if (optind != argc - 1) usage("which image?");
    if (!hz || !baud) usage("a rate of 0");
    avr_global_logger_set(log_errors);
    if (elf_read_firmware(argv[optind], &firmware)) usage("cannot read the image");
    if (!(avr = avr_make_mcu_by_name(mcu))) usage("no such mcu");
    avr_init(avr);
    avr->frequency = firmware.frequency = (uint32_t)hz;
    avr->run_cycle_limit = 1; /* an instruction a turn: sees every stack pointer */
    avr_load_firmware(avr, &firmware);
    if (!budget) budget = 60 * (avr_cycle_count_t)hz;

    avr_ioctl(avr, AVR_IOCTL_UART_GET_FLAGS('0'), &uart_flags);
    uart_flags &= ~(uint32_t)(AVR_UART_FLAG_STDIO | AVR_UART_FLAG_POLL_SLEEP);
    avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &uart_flags);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), printed, NULL);
    if (uart) {
        if (!(uart_file = fopen(uart, "rb"))) usage("cannot read the UART's input");
        byte_cycles = 10 * (avr_cycle_count_t)hz / baud;
        avr_cycle_timer_register(avr, uart_at ? uart_at : hz / 100, next_byte, NULL);
    }
    button = avr_io_getirq(avr, AVR_IOCTL_IOPORT_GETIRQ('D'), 2);
    avr_raise_irq(button, 1);
    add_presses(script, (uint32_t)hz);
    if (irq_at) add_press(irq_at, 1);
    qsort(presses, (size_t)press_count, sizeof *presses, by_time);
    if (press_count) avr_cycle_timer_register(avr, presses[0].at, next_press, NULL);

    deepest = avr->ramend;
    do {
        avr_cycle_count_t before = avr->cycle;
        status = step();
        sp = avr->data[SPL] | (unsigned long)avr->data[SPL + 1] << 8;
        if (sp && sp < deepest) deepest = sp;
        if (status == cpu_Sleeping && !first_sleep) first_sleep = before;
        if (was_asleep && status == cpu_Running) { /* in the vector's first instruction */
            wakes++;
            if (avr->pc / avr->vector_size < MAX_VECTORS) woken_by[avr->pc / avr->vector_size]++;
        }
        was_asleep = status == cpu_Sleeping;
    } while (status != cpu_Done && status != cpu_Crashed && avr->cycle < budget);
    fflush(stdout);
    if (stats) {
        const char *separator = "";
        fprintf(stderr, "cycles=%llu asleep=%llu wakes=%lu first-sleep=%llu stack=%lu ram=%lu sent=%lu woken-by=",
                (unsigned long long)avr->cycle, (unsigned long long)asleep, wakes, (unsigned long long)first_sleep,
                avr->ramend - deepest, (unsigned long)(firmware.datasize + firmware.bsssize), sent);
        for (vector = 0; vector < MAX_VECTORS; vector++)
            if (woken_by[vector]) fprintf(stderr, "%s%d:%lu", separator, vector, woken_by[vector]), separator = ",";
        fputc('\n', stderr);
    }
    if (status == cpu_Done) return avr->data[GPIOR0];
    if (status == cpu_Crashed) return 134;
    fprintf(stderr, "avr_run: the budget of %llu cycles is used up\n", (unsigned long long)budget);
    return 124;
}
