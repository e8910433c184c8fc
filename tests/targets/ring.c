/* 10,000 bytes from the console's interrupt to a task by ax_ring. The bytes count from 0 to 255, again and again. Exit 0 if all came in
   order; with -DSLOW the reader is too slow for them, and must hear of every gap, at the next read: 1 if it does not, 2 if bytes were
   lost unasked, 3 if the ring said that some were lost and none were. For boards whose runner sends bytes. */
#define ASYNCX_IMPLEMENTATION
#include "board.h"

#ifndef RING
#define RING 64
#endif
#ifndef TOTAL
#define TOTAL 10000
#endif

static unsigned char storage[RING];
static ax_ring rx = AX_RING_INIT(storage);
static volatile unsigned dropped;
void on_byte(unsigned char byte) {
    if (ax_ring_put(&rx, byte) < 0) dropped++;
}

struct reader { ax_frame frame; unsigned char bytes[16], next, warned; unsigned got, overflows; };
AX_ASYNC(reader) {
    unsigned char i;
    AX_BEGIN;
    while (my->got + dropped < TOTAL) {
        AX_TRY(ax_ring_read(me, &rx, my->bytes, sizeof my->bytes));
        if (me->rc < 0) {
            my->warned = 1;
            my->overflows++;
            continue;
        }
        for (i = 0; i < me->rc; i++) {
            if (my->bytes[i] != my->next && !my->warned) board_exit(1);
            if (my->bytes[i] != my->next) my->warned = 0; /* one report is for one gap or more */
            my->next = (unsigned char)(my->bytes[i] + 1);
        }
        my->got += (unsigned)me->rc;
#ifdef SLOW
        AX_AWAIT(ax_sleep(me, 1));
#endif
    }
    board_say(TEXT("got "));
    board_say_number((long)my->got);
    board_say(TEXT(", lost "));
    board_say_number((long)dropped);
    board_say(TEXT("\n"));
#ifdef SLOW
    AX_RETURN(dropped && my->overflows ? 0 : 3);
#else
    AX_RETURN(dropped ? 2 : my->overflows ? 3 : 0);
#endif
    AX_END;
}

static ax_loop loop;
static AX_TASK(reader) one;

int main(void) {
    board_init();
    ax_loop_open(&loop, NULL);
    AX_SPAWN_IN(&loop.root, &one, reader);
    ax_loop_run(&loop);
    return ax_task_status(&one.task);
}
