/* Forced in front of an example (-include): AX_RUN with a virtual clock, so that its sleeps take no time, and misuse is fatal.
   The examples themselves stay as a person would write them. */
#ifndef ASYNCX_IMPLEMENTED /* or linked, as for tests/examples.t */
#define ASYNCX_IMPLEMENTATION
#endif
#include "asyncx.h"
#include <stdio.h>
#include <stdlib.h>

static void virtual_misuse(void *ctx, const char *text) {
    (void)ctx;
    fprintf(stderr, "misuse: %s\n", text);
    abort();
}

static inline const ax_loop_desc *virtual_desc(void) {
    static ax_loop_desc desc;
    desc.flags = AX_VIRTUAL_CLOCK;
    desc.report = virtual_misuse;
    return &desc;
}

#undef AX_RUN
#define AX_RUN(...) AX_RUN_WITH(virtual_desc(), __VA_ARGS__)
