/* A generator that uses another: from the lines of a connection to the events in them. Each asks the one before it only when it is
   asked itself; generators are scopes, so who stops early closes the whole chain. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

struct lines { ax_frame frame; const char *const *line; };

AX_ASYNC(lines) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, AX_MS(100))); /* connect */
    for (; *my->line; my->line++) AX_EMIT();
    AX_FINALLY:
    printf("disconnected\n");
    AX_END;
}

struct events { ax_frame frame; const char *const *feed, *line; AX_GENERATOR(lines) lines; };

AX_ASYNC(events) {
    AX_BEGIN;
    AX_GENERATE(&my->lines, lines, .line = my->feed);
    AX_WHILE(ax_next(me, &my->lines.generator)) if ((my->line = *my->lines.frame.line)[0] != ':') AX_EMIT(); /* no comments */
    AX_END;
}

struct app { ax_frame frame; AX_GENERATOR(events) events; };

AX_ASYNC(app) {
    static const char *const feed[] = {"price: 120", ": alive", "price: 121", ": alive", "bye", "price: 1", NULL};
    AX_BEGIN;
    AX_GENERATE(&my->events, events, .feed = feed);
    AX_WHILE(ax_next(me, &my->events.generator)) {
        puts(my->events.frame.line);
        if (my->events.frame.line[0] == 'b') break; /* bye: nobody asks for the rest */
    }
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
