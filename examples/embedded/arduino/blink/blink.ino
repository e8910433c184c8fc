/* Two LEDs as two tasks in an Arduino sketch. Put asyncx.h next to this file.

   The loop is a guest here: loop() gives it its turns, which never sleep, and may do other things besides. Any board with millis()
   will do. The tasks and their loop take 200 bytes of RAM on an Uno; 90 with ASYNCX_NO_CANCEL defined too. */
#define ASYNCX_FREESTANDING
#define ASYNCX_IMPLEMENTATION
#define ax_port_now() ((ax_time)millis())
#define ax_port_lock() noInterrupts()
#define ax_port_unlock() interrupts()
#define ax_port_idle(until) ((void)(until)) /* of ax_loop_run only, which a sketch does not call */
#define ax_port_wake() ((void)0)            /* loop() comes round again by itself */
#include "asyncx.h"

struct blink {
    ax_frame frame;
    uint8_t pin, on;
    ax_time half, next; // half a period; when the LED changes next
};

AX_ASYNC(blink) {
    AX_BEGIN;
    pinMode(my->pin, OUTPUT);
    my->next = ax_now(me->loop);
    for (;;) {
        my->on = !my->on;
        digitalWrite(my->pin, my->on);
        AX_AWAIT(ax_sleep_until(me, my->next = ax_later(my->next, my->half)));
    }
    AX_END;
}

ax_loop tasks;
AX_TASK(blink) slow, fast;

void setup() {
    ax_loop_open(&tasks, NULL);
    AX_SPAWN_IN(&tasks.root, &slow, blink, .pin = LED_BUILTIN, .half = AX_MS(500));
    AX_SPAWN_IN(&tasks.root, &fast, blink, .pin = 12, .half = AX_MS(300));
}

void loop() {
    while (ax_run_once(&tasks) > 0) {} // what a turn made ready runs in the next
}
