/* Hello, world: asyncio's first program.

       async def main():                       asyncio.run(main())
           print("Hello ...")
           await asyncio.sleep(1)
           print("... world!")

   An async function is a struct for what it has to remember, and a body. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

struct hello { ax_frame frame; };

AX_ASYNC(hello) {
    AX_BEGIN;
    printf("Hello ...\n");
    AX_AWAIT(ax_sleep(me, AX_SEC(1)));
    printf("... world!\n");
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(hello)); }
