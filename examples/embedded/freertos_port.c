/* A port for FreeRTOS: the loop and all its tasks are one FreeRTOS task with one stack, beside whatever else the system runs.

     static void app_task(void *unused) { (void)unused; AX_RUN(app); vTaskDelete(NULL); }
     xTaskCreate(app_task, "app", 256, NULL, 2, NULL);

   Flags and rings may be set by interrupts (of a priority that may call FreeRTOS) and by other FreeRTOS tasks, each by one of
   them. The sleep is a wait for the task's notification (number 0, which it may use for nothing else). A notification is kept, so
   one that is given between the loop's last test of its flags and the wait ends the wait at once: no lock is needed.

   Write ASYNCX_TICK_HZ as a plain number: FreeRTOSConfig.h often has ((TickType_t)1000), which #if can't read.

   It was compiled and run against the stand-in in tests/targets/freertos, not on FreeRTOS itself. */
#include "FreeRTOS.h"
#include "task.h"

#ifndef ASYNCX_FREESTANDING
#define ASYNCX_FREESTANDING
#endif
#include "asyncx.h"

typedef char same_tick_rate[ASYNCX_TICK_HZ == configTICK_RATE_HZ ? 1 : -1];
typedef char tick_is_wide_enough[sizeof(TickType_t) >= sizeof(ax_time) ? 1 : -1];

static volatile TaskHandle_t loop_task;

ax_time ax_port_now(void) { return (ax_time)xTaskGetTickCount(); }

/* Called before the last test: from here on a flag that is set knows whom to notify. */
void ax_port_lock(void) { loop_task = xTaskGetCurrentTaskHandle(); }
void ax_port_unlock(void) {}

/* A tick late if one begins between the two calls. */
void ax_port_idle(ax_time until) {
    TickType_t wait = portMAX_DELAY;
    if (until != AX_FOREVER) {
        ax_time left = (ax_time)((TickType_t)until - xTaskGetTickCount());
        if (left <= 0) return;
        wait = (TickType_t)left;
    }
    ulTaskNotifyTake(pdTRUE, wait);
}

/* xPortIsInsideInterrupt is there in the ports for Cortex-M3 and larger; ESP-IDF calls it xPortInIsrContext. */
void ax_port_wake(void) {
    if (!loop_task) return; /* the loop has not been idle yet: it will test the flag before */
    if (xPortIsInsideInterrupt()) {
        BaseType_t higher = pdFALSE;
        vTaskNotifyGiveFromISR(loop_task, &higher);
        portYIELD_FROM_ISR(higher);
    } else xTaskNotifyGive(loop_task);
}
