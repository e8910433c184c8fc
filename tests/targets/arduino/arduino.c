/* Arduino's main and functions on a board: pin 13 is the LED, 12 the second one. loop() is called once a tick. */
#include "Arduino.h"
#include "board.h"

static unsigned char outputs; /* bit 0: pin 12, bit 1: pin 13 */

unsigned long millis(void) { return (unsigned long)(uint32_t)ax_port_now(); }
void noInterrupts(void) { ax_port_lock(); }
void interrupts(void) { ax_port_unlock(); }
void pinMode(uint8_t pin, uint8_t mode) {
    if (mode == OUTPUT) outputs |= (unsigned char)(pin == 13 ? 2 : 1);
}
void digitalWrite(uint8_t pin, uint8_t value) {
    if (pin == 13 && outputs & 2) board_led(value);
    if (pin == 12 && outputs & 1) board_led_2(value);
}

int main(void) {
    board_init();
    setup();
    for (;;) {
        loop();
        ax_port_lock();
        ax_port_idle(ax_later(ax_port_now(), 1));
        ax_port_unlock();
    }
}
