/* Runs freertos_port.c on a system of one task, in which time passes only while it waits. Says what the port asks for and what the
   task hears. In the second wait an interrupt sets the flag, in the fourth another task, both after the loop's last test. */
#define ASYNCX_FREESTANDING
#define ASYNCX_IMPLEMENTATION
#include "freertos_port.c"

#include <stdio.h>

static uint32_t tick = 0x7FFFFFFFu - 20; /* wraps to the negative on the way */
static unsigned notified, in_interrupt, waits;
static struct stand_in_task { int unused; } the_task;
static ax_flag flag;

static void interrupt(void) {
    in_interrupt = 1;
    ax_flag_set(&flag);
    in_interrupt = 0;
}

BaseType_t xPortIsInsideInterrupt(void) { return (BaseType_t)in_interrupt; }
TickType_t xTaskGetTickCount(void) { return tick; }
TaskHandle_t xTaskGetCurrentTaskHandle(void) { return &the_task; }
BaseType_t xTaskNotifyGive(TaskHandle_t task) {
    printf("%s by a task\n", task == &the_task ? "woken" : "somebody else is woken");
    notified++;
    return pdTRUE;
}
void vTaskNotifyGiveFromISR(TaskHandle_t task, BaseType_t *higher) {
    printf("%s by an interrupt\n", task == &the_task ? "woken" : "somebody else is woken");
    notified++;
    *higher = pdTRUE;
}

uint32_t ulTaskNotifyTake(BaseType_t clear, TickType_t wait) {
    unsigned was;
    waits++;
    if (waits == 2) interrupt();
    if (waits == 4) ax_flag_set(&flag);
    was = notified;
    if (wait == portMAX_DELAY) printf("waits for ever\n");
    else printf("waits %u\n", (unsigned)wait);
    if (!was && wait != portMAX_DELAY) tick += wait;
    if (!was && wait == portMAX_DELAY) printf("nothing would end this\n");
    notified = clear ? 0 : was - (was > 0);
    return was;
}

struct app { ax_frame frame; ax_time start; };

AX_ASYNC(app) {
    AX_BEGIN;
    my->start = ax_now(me->loop);
    AX_AWAIT(ax_sleep_until(me, ax_later(my->start, AX_MS(50))));
    printf("slept %d\n", (int)ax_since(me->loop, my->start));
    AX_AWAIT(ax_flag_wait(me, &flag));
    printf("the flag was set %d times\n", me->rc);
    AX_TRY(AX_WITHIN(AX_MS(9), ax_flag_wait(me, &flag)));
    printf("%s\n", ax_errname(me->rc));
    AX_AWAIT(ax_flag_wait(me, &flag));
    printf("the flag was set %d times\n", me->rc);
    AX_END;
}

int main(void) {
    ax_flag_set(&flag), ax_flag_take(&flag); /* before there is a loop: nobody to wake */
    return AX_RUN(app);
}
