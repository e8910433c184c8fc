/* Three sensors on one bus, each at its own rate. One hangs at times: that reading is given up after 20 ms and the bus recovered;
   the rates stay, no report is lost, and the code of the others does not know of it.

     ax_mutex             one transfer at a time, in the order in which the sensors come
     AX_WITHIN            a limit on the transfer alone: waiting for the bus does not count
     AX_FINALLY           recovers the bus however a transfer was left, before anybody else gets it
     ax_queue             reports wait there while the console is busy; when it is full the sensors wait, nothing is dropped
     AX_GROUP_BACKGROUND  the sensors are cancelled once there were reports enough

   RAM, board and loop included, the stack apart: at most 1040 bytes on a Cortex-M0, 620 on an AVR. */
#define ASYNCX_IMPLEMENTATION
#include "board.h"

#ifndef REPORTS
#define REPORTS 20 /* then it ends */
#endif

/* ---- the bus: a controller that interrupts when a transfer is done ---- */

static ax_mutex bus;
static ax_flag bus_done;      /* set by its interrupt */
static volatile int bus_data; /* what came */

/* An emulator has no such chips: a timer stands for their interrupt. Of five values one is far off; one chip hangs at a turn. */
struct chip { int usual; unsigned char turn, hangs; };

static void bus_interrupt(ax_loop *loop, void *arg) {
    static const signed char noise[] = {1, -2, 0, 30, -1};
    const struct chip *chip = (const struct chip *)arg;
    (void)loop;
    bus_data = chip->usual + noise[chip->turn];
    ax_flag_set(&bus_done);
}

static void bus_start(ax_loop *loop, struct chip *chip) {
    static ax_timer conversion;
    ax_flag_take(&bus_done); /* forgets an interrupt that came after its transfer had been given up */
    chip->turn = chip->turn < 4 ? (unsigned char)(chip->turn + 1) : 0;
    if (chip->hangs && chip->turn == chip->hangs) return; /* no interrupt will come */
    ax_timer_start(loop, &conversion, ax_after(loop, AX_MS(5)), bus_interrupt, chip);
}

struct transfer { ax_frame frame; struct chip *chip; int data; unsigned char busy; }; /* data is the result */

AX_ASYNC(transfer) {
    AX_BEGIN;
    my->busy = 1;
    bus_start(me->loop, my->chip);
    AX_AWAIT(ax_flag_wait(me, &bus_done));
    my->data = bus_data;
    my->busy = 0;
    AX_FINALLY:
    if (my->busy) { /* given up, or cancelled */
        AX_AWAIT(ax_sleep(me, AX_MS(2))); /* on I2C: nine clock pulses and a stop */
        board_say(TEXT("bus recovered\n"));
    }
    AX_END;
}

/* ---- the sensors ---- */

struct report { const char *name; ax_time due; int status, data, median; };
static struct report storage[4];
static ax_queue reports = AX_QUEUE_INIT(storage);

struct sensor {
    ax_frame frame;
    struct chip chip;
    ax_time period;
    int last, before; /* readings */
    unsigned char count;
    struct report report;
    struct transfer transfer;
};

/* The middle one of the last three: a single value that is far off does not show. */
static void add_reading(struct sensor *s, int a) {
    int b = s->count ? s->last : a, c = s->count ? s->before : a, low = b < c ? b : c, high = b < c ? c : b;
    s->report.data = a;
    s->report.median = a < low ? low : a > high ? high : a;
    s->last = a, s->before = b, s->count = 1;
}

AX_ASYNC(sensor) {
    AX_BEGIN;
    for (;;) {
        my->report.due = ax_later(my->report.due, my->period);
        AX_AWAIT(ax_sleep_until(me, my->report.due));
        AX_AWAIT(ax_mutex_lock(me, &bus));
        AX_TRY(AX_WITHIN(AX_MS(20), AX_CALL_IN(&my->transfer, transfer, .chip = &my->chip)));
        ax_mutex_unlock(me, &bus);
        if ((my->report.status = me->rc) >= 0) add_reading(my, my->transfer.data);
        AX_AWAIT(ax_queue_put(me, &reports, &my->report));
    }
    AX_END;
}

/* ---- the console ---- */

static void say_report(const struct report *r, ax_time start) {
    board_say_number(board_ticks(r->due, start));
    board_say(TEXT(" ms: "));
    board_say(r->name);
    if (r->status >= 0) {
        board_say(TEXT(" "));
        board_say_number(r->data);
        board_say(TEXT(", median "));
        board_say_number(r->median);
    } else board_say(TEXT(" does not answer"));
    board_say(TEXT("\n"));
}

struct station {
    ax_frame frame;
    ax_group sensors;
    AX_TASK(sensor) pressure, warmth, humidity;
    struct report report;
    ax_time start;
    uint16_t left;
};

AX_ASYNC(station) {
    AX_BEGIN;
    my->start = ax_now(me->loop);
    ax_group_open(me, &my->sensors, AX_GROUP_BACKGROUND);
    AX_SPAWN_IN(&my->sensors, &my->pressure, sensor, .report.name = TEXT("pressure"), .report.due = my->start,
                .period = AX_MS(150), .chip.usual = 1013, .chip.hangs = 2);
    AX_SPAWN_IN(&my->sensors, &my->warmth, sensor, .report.name = TEXT("warmth"), .report.due = my->start,
                .period = AX_MS(250), .chip.usual = 215);
    AX_SPAWN_IN(&my->sensors, &my->humidity, sensor, .report.name = TEXT("humidity"), .report.due = my->start,
                .period = AX_MS(400), .chip.usual = 48);
    for (my->left = REPORTS; my->left; my->left--) {
        AX_AWAIT(ax_queue_get(me, &reports, &my->report));
        say_report(&my->report, my->start);
    }
    AX_END;
}

int main(void) {
    board_init();
    return AX_RUN(station);
}
