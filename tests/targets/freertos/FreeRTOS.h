/* The few names of FreeRTOS that freertos_port.c uses. A stand-in: freertos.c has a system of one task behind it. */
#ifndef FREERTOS_H
#define FREERTOS_H
#include <stdint.h>
typedef uint32_t TickType_t;
typedef long BaseType_t;
typedef struct stand_in_task *TaskHandle_t;
#define configTICK_RATE_HZ ((TickType_t)1000)
#define portMAX_DELAY ((TickType_t)0xffffffffUL)
#define pdFALSE ((BaseType_t)0)
#define pdTRUE ((BaseType_t)1)
#define portYIELD_FROM_ISR(higher) ((void)(higher))
BaseType_t xPortIsInsideInterrupt(void);
#endif
