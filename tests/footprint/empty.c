/* Nothing: the tick is on, the loop sleeps for ever. */
#include "blink.h"

int main(void) {
    board_init();
    for (;;) sleep_until(AX_FOREVER);
}
