/* A shell on the console: a line editor fed by the interrupt, and tasks that are started and stopped by name.

     > start blink
     > list
     shell
       blink
     > stop blink
     blink: the LED is off        its AX_FINALLY; the shell waits for that before it asks for the next line

   Bytes that come while the shell is busy wait in the ring. If there are too many it is told, and refuses the line.
   `list` asks tasks for their names: needs -DASYNCX_NAMES=1.

   RAM, board and loop included, the stack apart: at most 600 bytes on a Cortex-M0, 380 on an AVR. */
#define ASYNCX_IMPLEMENTATION
#include "board.h"

/* ---- the tasks that can be started ---- */

struct blink { ax_frame frame; unsigned char on; };

AX_ASYNC(blink) {
    AX_BEGIN;
    for (;;) {
        board_led(my->on = !my->on);
        AX_AWAIT(ax_sleep(me, AX_MS(250)));
    }
    AX_FINALLY:
    board_led(0);
    board_say(TEXT("blink: the LED is off\n"));
    AX_END;
}

struct count { ax_frame frame; unsigned char n; };

AX_ASYNC(count) {
    AX_BEGIN;
    for (; my->n < 10; my->n++) AX_AWAIT(ax_sleep(me, AX_SEC(1)));
    AX_FINALLY:
    board_say(ax_leaving(me) == AX_ECANCELED ? TEXT("count: stopped at ") : TEXT("count: done at "));
    board_say_number(my->n);
    board_say(TEXT("\n"));
    AX_END;
}

/* ---- the line editor ---- */

#define LINE 15

static unsigned char received[32];
static ax_ring console = AX_RING_INIT(received);

void on_byte(unsigned char byte) { ax_ring_put(&console, byte); } /* in an interrupt */

struct edit { ax_frame frame; char line[LINE + 1]; unsigned char byte, length, lost; };

/* The length of a line, of which no more than LINE bytes are kept; or AX_EOVERFLOW: bytes of it were lost, and what is left may
   mean something else. So it is read to its end all the same: a rest is no line of its own. */
AX_ASYNC(edit) {
    AX_BEGIN;
    do {
        AX_TRY(ax_ring_read(me, &console, &my->byte, 1));
        if (me->rc < 0) my->lost = 1;
        else if (my->byte == '\b' || my->byte == 127) {
            if (my->length) my->length--, board_say(TEXT("\b \b"));
        } else if (my->byte >= ' ' && my->length < 255) {
            if (my->length < LINE) my->line[my->length] = (char)my->byte;
            my->length++;
            board_put((char)my->byte);
        }
    } while (my->byte != '\r' && my->byte != '\n');
    my->line[my->length < LINE ? my->length : LINE] = 0;
    board_say(TEXT("\n"));
    AX_RETURN(my->lost ? AX_EOVERFLOW : my->length);
    AX_END;
}

/* ---- the shell ---- */

struct shell {
    ax_frame frame;
    ax_group tasks;
    AX_TASK(blink) blink;
    AX_TASK(count) count;
    struct edit edit;
    const char *name; /* what stands after the command, */
    ax_task *task;    /* and the task of that name, if it runs */
};

static void say_task(ax_task *task, int depth, void *arg) {
    (void)arg;
    if (depth) board_say(TEXT("  "));
    board_say(ax_task_name(task));
    board_say(TEXT("\n"));
}

static void find_task(ax_task *task, int depth, void *arg) {
    struct shell *s = (struct shell *)arg;
    if (depth && board_same(s->name, ax_task_name(task))) s->task = task;
}

static void start_task(struct shell *s) {
    if (s->task) board_say(TEXT("it runs already\n"));
    else if (board_same(s->name, TEXT("blink"))) AX_SPAWN_IN(&s->tasks, &s->blink, blink);
    else if (board_same(s->name, TEXT("count"))) AX_SPAWN_IN(&s->tasks, &s->count, count);
    else board_say(TEXT("there are the tasks blink and count\n"));
}

AX_ASYNC(shell) {
    char *c;
    AX_BEGIN;
    ax_group_open(me, &my->tasks, AX_GROUP_BACKGROUND | AX_GROUP_COLLECT);
    for (;;) {
        board_say(TEXT("> "));
        AX_TRY(AX_CALL_IN(&my->edit, edit));
        if (me->rc < 0) board_say(TEXT("some of the input was lost, try again\n"));
        else if (me->rc > LINE) board_say(TEXT("too long: a line has 15 characters at most\n"));
        if (me->rc <= 0 || me->rc > LINE) continue;
        for (c = my->edit.line; *c && *c != ' ';) c++;
        if (*c) *c++ = 0;
        my->name = c;
        my->task = NULL;
        ax_tasks(me->loop, find_task, my);
        if (board_same(my->edit.line, TEXT("help"))) board_say(TEXT("help, list, start NAME, stop NAME, exit\n"));
        else if (board_same(my->edit.line, TEXT("list"))) ax_tasks(me->loop, say_task, NULL);
        else if (board_same(my->edit.line, TEXT("start"))) start_task(my);
        else if (board_same(my->edit.line, TEXT("stop")) && my->task) {
            ax_cancel(my->task);
            AX_TRY(ax_join(me, my->task)); /* AX_ECANCELED is what it ends with */
        } else if (board_same(my->edit.line, TEXT("stop"))) board_say(TEXT("it does not run\n"));
        else if (board_same(my->edit.line, TEXT("exit"))) AX_RETURN(0); /* the group cancels what runs */
        else board_say(TEXT("no such command, try help\n"));
    }
    AX_END;
}

int main(void) {
    board_init();
    return AX_RUN(shell);
}
