/* The first answer wins: asyncio.wait(..., return_when=FIRST_COMPLETED), and cancel the rest.

   A racing group ends with its first success: the others are cancelled and have cleaned up when the join gives the
   winner's status. A failure is no success: the race goes on, and fails only if everybody fails. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

enum { OSLO, LIMA, CAIRO };
static const char *const mirrors[] = {"Oslo", "Lima", "Cairo"};

struct ask { ax_frame frame; int mirror; ax_time takes; int status; };

AX_ASYNC(ask) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, my->takes));
    AX_RETURN(my->status < 0 ? my->status : my->mirror);
    AX_FINALLY:
    printf("  %s: %s\n", mirrors[my->mirror], ax_strerror(ax_leaving(me)));
    AX_END;
}

struct app { ax_frame frame; ax_group race; };

AX_ASYNC(app) {
    AX_BEGIN;
    ax_group_open(me, &my->race, AX_GROUP_RACE);
    AX_SPAWN(&my->race, ask, .mirror = OSLO, .takes = AX_MS(300));
    AX_SPAWN(&my->race, ask, .mirror = LIMA, .takes = AX_MS(200));
    AX_SPAWN(&my->race, ask, .mirror = CAIRO, .takes = AX_MS(100), .status = AX_EPIPE);
    AX_AWAIT(ax_group_join(me, &my->race));
    printf("%s was first\n", mirrors[me->rc]);
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
