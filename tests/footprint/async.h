/* Async functions over a state struct, with await, and no scheduler: the function is called again until it says that it is done. */
#ifndef ASYNC_H
#define ASYNC_H
#include "blink.h"

typedef enum { ASYNC_WAITS, ASYNC_DONE } async;
struct async_state { uint16_t at; };

#define ASYNC_BEGIN(state) \
    struct async_state *const async_here = (state); \
    switch (async_here->at) { \
    case 0:
#define AWAIT(condition) \
    do { \
        async_here->at = __LINE__; \
        if (0) { \
        case __LINE__:; \
        } \
        if (!(condition)) return ASYNC_WAITS; \
    } while (0)
#define ASYNC_END \
    } \
    async_here->at = 0; \
    return ASYNC_DONE
#endif
