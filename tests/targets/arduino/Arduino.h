/* As much of Arduino as the sketches of examples/embedded/arduino use. A stand-in: arduino.c puts it on a board. */
#ifndef ARDUINO_H
#define ARDUINO_H
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
enum { LOW, HIGH, INPUT = 0, OUTPUT };
#define LED_BUILTIN 13
unsigned long millis(void);
void noInterrupts(void);
void interrupts(void);
void pinMode(uint8_t pin, uint8_t mode);
void digitalWrite(uint8_t pin, uint8_t value);
void setup(void);
void loop(void);
#ifdef __cplusplus
}
#endif
#endif
