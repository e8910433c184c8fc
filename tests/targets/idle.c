/* Around main, ax_port_idle and board_exit (by the linker's --wrap): what ended each sleep. At the program's end, one line:

     idle: deadlines 46, inputs 0, the port's 20, neither 0

   A sleep that returns with its deadline reached, or after scripted input came, had a cause. The AVR's timer ends a period every
   250 ticks: the port's. A sleep in which the program ends (BOARD_RUN_MS) does not return and is not counted.

   WRONG: as a port that never sleeps longer than 100 ms. */
#include "board.h"

int __real_main(void);
void __real_ax_port_idle(ax_time until);
void __real_board_exit(int status);
int __wrap_main(void);
void __wrap_ax_port_idle(ax_time until);
void __wrap_board_exit(int status);

static uint32_t deadlines, inputs, ports, neither;

void __wrap_ax_port_idle(ax_time until) {
    ax_time input = board_script_next(AX_FOREVER);
#ifdef WRONG
    ax_time most = (ax_time)((uint32_t)ax_port_now() + 100);
    __real_ax_port_idle(until == AX_FOREVER || board_ticks(until, most) > 0 ? most : until);
#else
    __real_ax_port_idle(until);
#endif
    if (board_script_next(AX_FOREVER) != input) inputs++;
    else if (until != AX_FOREVER && board_ticks(ax_port_now(), until) >= 0) deadlines++;
#ifdef __AVR__
    else if (board_ticks(ax_port_now(), (ax_time)BOARD_TICK_START) % 250 == 0) ports++;
#endif
    else neither++;
}

/* Once: where start-up calls board_exit, both of the following come here. */
static void say(void) {
    static unsigned char said;
    if (said++) return;
    board_say(TEXT("idle: deadlines "));
    board_say_number((long)deadlines);
    board_say(TEXT(", inputs "));
    board_say_number((long)inputs);
    board_say(TEXT(", the port's "));
    board_say_number((long)ports);
    board_say(TEXT(", neither "));
    board_say_number((long)neither);
    board_say(TEXT("\n"));
}

int __wrap_main(void) {
    int status = __real_main();
    say();
    return status;
}

void __wrap_board_exit(int status) {
    say();
    __real_board_exit(status);
}
