/* Stackless threads after Duff's device: a thread remembers the line at which it waits, in two bytes, and a switch resumes it. */
#ifndef PROTOTHREAD_H
#define PROTOTHREAD_H
#include "blink.h"

typedef uint16_t thread;
#define THREAD_BEGIN(t) \
    switch (t) { \
    case 0:
#define THREAD_WAIT(t, condition) \
    do { \
        t = __LINE__; \
        if (0) { \
        case __LINE__:; \
        } \
        if (!(condition)) return; \
    } while (0)
#define THREAD_END(t) \
    } \
    t = 0
#endif
