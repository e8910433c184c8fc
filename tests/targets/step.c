/* An interrupt at every instruction: the loop is single-stepped by the processor, and the n-th step's trap is the interrupt. It
   puts bytes into a ring and sets a flag; whatever was interrupted, the reader must get what was taken, in order, with
   AX_EOVERFLOW exactly where bytes were refused, and the flag's task must hear of every time. The other way round, too: who puts
   is a thread, and the loop runs in the middle of it. On x86-64 Linux. Prints TAP. */
#define _GNU_SOURCE
#define ASYNCX_FREESTANDING
#define ASYNCX_STATIC
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

enum { MOST = 64, LOST = -1, TRAP_FLAG = 0x100 };

static ax_ring ring;
static ax_flag flag;
static unsigned char storage[8], next_byte;
static int step, at, burst; /* so many steps so far; at which the interrupt comes; how many bytes it brings */
static volatile int locked, pending, asleep, over, loop_is_trap;
static int wanted[MOST], got[MOST], count_wanted, count_got, sets, heard;

static void interrupt(int bytes) {
    while (bytes--) {
        int taken = ax_ring_put(&ring, next_byte) == 0;
        if (taken) wanted[count_wanted++] = next_byte;
        else if (!count_wanted || wanted[count_wanted - 1] != LOST) wanted[count_wanted++] = LOST;
        next_byte++;
    }
    ax_flag_set(&flag);
    sets++;
}

static ax_loop loop;
static void on_trap(int signal, siginfo_t *info, void *context) {
    (void)signal;
    (void)info;
    if (++step != at) return;
    if (loop_is_trap) while (ax_run_once(&loop) > 0) {}
    else if (locked) pending = 1; /* it waits until interrupts are let in */
    else if (!over) interrupt(burst);
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
}

ax_time ax_port_now(void) { return 0; }
void ax_port_wake(void) {}
void ax_port_lock(void) { locked = 1; }
void ax_port_unlock(void) {
    locked = 0;
    if (pending && !over) pending = 0, interrupt(burst);
}
void ax_port_idle(ax_time until) { /* nothing is left: two more interrupts must be heard of, then it ends */
    (void)until;
    if (pending) return;
    if (asleep++ < 2) {
        interrupt(2);
    } else {
        over = 1;
        ax_loop_stop(&loop);
    }
}

struct reader { ax_frame frame; unsigned char bytes[5]; int i; };
AX_ASYNC(reader) {
    AX_BEGIN;
    for (;;) {
        AX_TRY(ax_ring_read(me, &ring, my->bytes, sizeof my->bytes));
        if (me->rc == AX_EOVERFLOW && (!count_got || got[count_got - 1] != LOST)) got[count_got++] = LOST; /* twice is once */
        for (my->i = 0; my->i < me->rc; my->i++) got[count_got++] = my->bytes[my->i];
    }
    AX_END;
}
struct listener { ax_frame frame; };
AX_ASYNC(listener) {
    AX_BEGIN;
    AX_WHILE(ax_flag_wait(me, &flag)) heard += me->rc;
    AX_END;
}

static AX_TASK(reader) read_task;
static AX_TASK(listener) listen_task;

static void begin(int when, int bytes) {
    static const ax_ring fresh = AX_RING_INIT(storage);
    static const ax_flag unset = {0, 0, NULL, NULL, NULL};
    ring = fresh;
    flag = unset;
    memset(&read_task, 0, sizeof read_task);
    memset(&listen_task, 0, sizeof listen_task);
    next_byte = 0;
    step = count_wanted = count_got = sets = heard = 0;
    locked = pending = asleep = over = 0;
    at = when;
    burst = bytes;
    ax_loop_open(&loop, NULL);
    AX_SPAWN_IN(&loop.root, &read_task, reader);
    AX_SPAWN_IN(&loop.root, &listen_task, listener);
}

#define STEP_BY_STEP(code)                                                          \
    __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" ::: "memory", "cc");      \
    code;                                                                           \
    __asm__ volatile("pushfq; andq $~0x100, (%%rsp); popfq" ::: "memory", "cc")

static int all_heard(void) {
    return count_got == count_wanted && memcmp(got, wanted, (size_t)count_got * sizeof *got) == 0 && heard == sets;
}

/* One run with the interrupt at this step of the loop. Whether all was heard of, in order. */
static int run(int when, int bytes) {
    begin(when, bytes);
    interrupt(2);
    STEP_BY_STEP(ax_loop_run(&loop));
    return all_heard();
}

/* One run with the loop at this step of a thread that puts. */
static int run_thread(int when, int bytes) {
    begin(when, 0);
    while (ax_run_once(&loop) > 0) {}
    loop_is_trap = 1;
    STEP_BY_STEP(interrupt(bytes));
    loop_is_trap = 0;
    asleep = 2; /* nobody puts any more: what is not heard of now never will be */
    ax_loop_run(&loop);
    return all_heard();
}

/* Every place in turn; at least so many, or it was no test. */
static int sweep(int number, const char *what, int (*one)(int, int), int bytes, int least) {
    int steps, when, bad = 0;
    one(0, one == run ? 0 : bytes);
    steps = step;
    for (when = 1; when <= steps; when++)
        if (!one(when, bytes) && !bad++) printf("# at step %d of %d\n", when, steps);
    if (steps < least) bad++;
    printf("%sok %d - %d bytes, %s at each of %d instructions\n", bad ? "not " : "", number, bytes, what, steps);
    return bad != 0;
}

int main(int argc, char **argv) { /* with an argument: only the burst that the ring can't hold */
    struct sigaction act;
    int failed = 0;
    (void)argv;
    memset(&act, 0, sizeof act);
    act.sa_sigaction = on_trap;
    act.sa_flags = SA_SIGINFO;
    sigaction(SIGTRAP, &act, NULL);
    failed += sweep(1, "the loop", run_thread, 9, 50);
    failed += sweep(2, "the loop", run_thread, 20, 100);
    failed += sweep(3, "an interrupt", run, 9, 500);
    if (argc == 1) failed += sweep(4, "an interrupt", run, 1, 500);
    if (argc == 1) failed += sweep(5, "an interrupt", run, 6, 500);
    printf("1..%d\n", argc == 1 ? 5 : 3);
    return failed != 0;
}
