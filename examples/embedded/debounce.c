/* A button: clean presses out of a contact that bounces, short ones and long ones. The interrupt only notes the level and sets a
   flag; the rest reads from top to bottom, each wait with its limit.

   settled() ends when the button has had a level for 20 ms. It looks at the level, not at changes, so a limit may end it anywhere
   and nothing is lost. A long press is told while the button is still held: when a limit of 600 ms around settled() comes first.

   RAM, board and loop included, the stack apart: at most 300 bytes on a Cortex-M0, 180 on an AVR. */
#define ASYNCX_IMPLEMENTATION
#include "board.h"

#define QUIET AX_MS(20)
#define LONG_PRESS AX_MS(600)

static ax_flag changed;
static volatile unsigned char level;

void on_button(int down) { /* in an interrupt */
    level = down != 0;
    ax_flag_set(&changed);
}

struct settled { ax_frame frame; unsigned char down; };

AX_ASYNC(settled) {
    AX_BEGIN;
    do {
        while (level != my->down) AX_AWAIT(ax_flag_wait(me, &changed));
        AX_TRY(AX_WITHIN(QUIET, ax_flag_wait(me, &changed))); /* another change: it was a bounce, the time starts anew */
    } while (me->rc != AX_ETIMEDOUT);
    AX_END;
}

struct button { ax_frame frame; struct settled settled; };

AX_ASYNC(button) {
    AX_BEGIN;
    for (;;) {
        AX_AWAIT(AX_CALL_IN(&my->settled, settled, .down = 1));
        board_led(1);
        AX_TRY(AX_WITHIN(LONG_PRESS, AX_CALL_IN(&my->settled, settled, .down = 0)));
        if (me->rc == AX_ETIMEDOUT) {
            board_led_2(1);
            board_say(TEXT("long press\n"));
            AX_AWAIT(AX_CALL_IN(&my->settled, settled, .down = 0));
            board_say(TEXT("let go\n"));
            board_led_2(0);
        } else board_say(TEXT("short press\n"));
        board_led(0);
    }
    AX_END;
}

int main(void) {
    board_init();
    return AX_RUN(button);
}
