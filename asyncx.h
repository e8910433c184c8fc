/* asyncx.h - v0.1.0 - async functions, tasks, groups, time limits and a loop, from servers to microcontrollers - MIT-0

   asyncx lets C code wait as if it blocked. An async function (a stackless coroutine) is a plain function over
   a struct of yours that holds its arguments and the locals that outlive a wait. Thousands run on one thread
   over poll(), or a few in 2 KB of RAM on a microcontroller; any can be cancelled, and runs its cleanup then.

   USE                                        // cc hello.c -lpthread && ./a.out

     #define ASYNCX_IMPLEMENTATION            // in exactly one .c file of the program
     #include "asyncx.h"
     #include <stdio.h>

     struct greet { ax_frame frame; const char *name; };

     AX_ASYNC(greet) {
         AX_BEGIN;
         AX_AWAIT(ax_sleep(me, AX_SEC(2)));
         printf("Hello, %s!\n", my->name);
         AX_END;
     }

     struct app { ax_frame frame; ax_group all; };

     AX_ASYNC(app) {
         AX_BEGIN;
         ax_group_open(me, &my->all, 0);
         AX_SPAWN(&my->all, greet, .name = "Alice");
         AX_SPAWN(&my->all, greet, .name = "Bob");
         AX_AWAIT(ax_group_join(me, &my->all));          // both greeted after 2 s, not 4
         AX_END;
     }

     int main(void) { return ax_exit(AX_RUN(app)); }

   CONTENTS

     1 Options             6 Tasks                   11 Generators
     2 Status              7 Groups                  12 The loop and its callbacks
     3 Time                8 Sleeping and limits     13 File descriptors
     4 The model           9 Locks, events, futures  14 Sockets
     5 Async functions    10 Queues                  15 Threads and signals
                                                     16 Running a program
                                                     17 Microcontrollers

   That is all a user needs: the first fifth of this file. What the macros expand to and the implementation follow it.

   THE RULES IN SHORT

     - `me` is the task, `my` is this function's frame. What must outlive a wait lives in `my`; a C local
       does not survive an await, nor does its address. Compilers warn: clang always, gcc mostly (a counter
       that only counts escapes it above -O0). A local before AX_BEGIN starts anew at each resume.
     - A status is an int: >= 0 is success, negative is an AX_E... error. The result of an await is in
       `me->rc` until the next await. AX_AWAIT leaves the body on an error; AX_TRY lets you look at it.
     - Where bodies resume by switch (ASYNCX_FREESTANDING; compilers other than gcc and clang) an await inside
       a `switch` of yours ends the function with AX_EFAULT: use if.
     - A completed operation is never undone. A cancel that comes too late for one await is delivered at (we
       say: met by) the next one that has to wait.
     - However a body is left, its open scopes (groups, limits, locks, generators, defers) close in reverse
       order, then AX_FINALLY runs, and both may wait. A task never outlives its group, nor a group its frame.
     - The library never exits, aborts or prints on its own (ax_exit prints; the report hook may).
     - One loop belongs to one thread. Everything here is for that thread, except as this table says:

         from                    may be called
         a task (has `me`)       everything; running or closing its own loop is AX_EBUSY
         a callback of the loop  the same without what takes `me`
         outside of a run        the same, and ax_loop_run, ax_run_once, ax_loop_close
         another thread          ax_post
         a signal handler        nothing (see ax_signal_wait)
         an interrupt            ax_flag_set and ax_ring_put, which a thread of an RTOS and a signal handler may call too
                                 (ASYNCX_FREESTANDING only; each flag and ring from one of them)

   Licence: MIT-0, at the end of this file. */

#ifndef ASYNCX_H
#define ASYNCX_H

#define ASYNCX_VERSION "0.1.0"
#define ASYNCX_VERSION_NUMBER 100 /* major * 10000 + minor * 100 + patch */

/* ---- 1 Options ----------------------------------------------------------------------------------------

   macro                  default      set it          what it does
   ASYNCX_IMPLEMENTATION  not defined  in one file     emits the implementation
   ASYNCX_STATIC          not defined  in that file    private copy: every function is static
   ASYNCX_DEBUG           1, or 0      in every file   checks that cost a little: use from another thread,
                          if NDEBUG                    destinations on the dead C stack (by gcc and
                                                       clang, in C, arguments too), descriptors that block
   ASYNCX_TRACE           ASYNCX_DEBUG in every file   frames record the line at which they wait
   ASYNCX_SWITCH          not defined  per file        resume by switch even where the compiler has labels
                                                       as values; an await inside a switch of yours then traps
   ASYNCX_COMMA           not defined  per file        no statement expressions (for other compilers it is set): the
                                                       storage argument of a macro is then evaluated twice, and a call
                                                       or spawn is no argument of another (in a function it may be)
   ASYNCX_AWAITS          128          implementation  awaits in a row that were done at once, after which a
                                                       task takes a turn, so that nobody starves
   ASYNCX_EPOLL           not defined  implementation  waits with epoll instead of poll(): for very many descriptors, on Linux
   ASYNCX_KQUEUE          not defined  implementation  the same with kqueue, on BSD and macOS (compiled, and run over a stand-in,
                                                       but not on such a system)
   ASYNCX_BACKEND         not defined  implementation  a backend of yours as the default: an ax_backend * (see 13)
   AX_ASSERT(x)           nothing      implementation  called with 0 on misuse, after it was reported

   For microcontrollers (see 17 Microcontrollers):

   ASYNCX_FREESTANDING    not defined  in every file   no operating system, no C library, no malloc: a port of five functions;
                                                       resumes by switch. ASYNCX_DEBUG is 0 unless set, and without it
                                                       also an op that is not awaited and a queue before its init go
                                                       unnoticed
   ASYNCX_TICK_HZ         1000         in every file   ticks of the port's clock per second: a plain number
   ASYNCX_TIME_BITS       32           in every file   width of ax_time: 16, 32 (both wrap around) or 64
   ASYNCX_NAMES           0            in every file   1: functions have names, for ax_task_name and ax_task_where
   ASYNCX_NO_GENERATORS   not defined  in every file   leaves generators out
   ASYNCX_NO_KEEP         not defined  in every file   leaves AX_GROUP_KEEP and ax_group_next out
   ASYNCX_NO_CANCEL       not defined  in every file   leaves out what needs cancellation: groups, limits, scopes and so mutexes,
                                                       joins, generators, the limiter, callbacks, timers and the loop's close;
                                                       tasks are spawned into the loop's root

   In every file: the same value in all of them, since it changes the layout of structs. Per file: each may choose.
   Implementation: only the file that defines ASYNCX_IMPLEMENTATION looks at it. */

#if (defined(ASYNCX_NO_CANCEL) || defined(ASYNCX_NO_KEEP)) && !defined(ASYNCX_FREESTANDING)
#error "asyncx.h: ASYNCX_NO_CANCEL and ASYNCX_NO_KEEP are for ASYNCX_FREESTANDING"
#endif
#ifdef ASYNCX_FREESTANDING
#ifndef ASYNCX_DEBUG
#define ASYNCX_DEBUG 0
#endif
#ifndef ASYNCX_SWITCH
#define ASYNCX_SWITCH
#endif
#ifndef ASYNCX_NAMES
#define ASYNCX_NAMES 0
#endif
#ifndef ASYNCX_TICK_HZ
#define ASYNCX_TICK_HZ 1000
#endif
#ifndef ASYNCX_TIME_BITS
#define ASYNCX_TIME_BITS 32
#endif
#else
#ifndef ASYNCX_DEBUG
#ifdef NDEBUG
#define ASYNCX_DEBUG 0
#else
#define ASYNCX_DEBUG 1
#endif
#endif
#define ASYNCX_NAMES 1
#define ASYNCX_TIME_BITS 64
#endif
#ifndef ASYNCX_TRACE
#define ASYNCX_TRACE ASYNCX_DEBUG
#endif
#if defined(ASYNCX_FREESTANDING) && !ASYNCX_DEBUG /* then misuse that compilers warn of is not looked for */
#define AXI_CHECKS 0
#else
#define AXI_CHECKS 1
#endif
#ifdef ASYNCX_NO_CANCEL
#define AXI_CANCEL 0
#else
#define AXI_CANCEL 1
#endif
#if !defined(ASYNCX_FREESTANDING) || (ASYNCX_NAMES && ASYNCX_TRACE) /* files are told with lines */
#define AXI_FILES 1
#else
#define AXI_FILES 0
#endif
#if AXI_CANCEL && !defined(ASYNCX_NO_GENERATORS)
#define AXI_GENERATORS 1
#else
#define AXI_GENERATORS 0
#endif
#if AXI_CANCEL && !defined(ASYNCX_NO_KEEP)
#define AXI_KEEP 1
#else
#define AXI_KEEP 0
#endif

/* The implementation needs POSIX declarations that a strict -std=c99 hides; this works if no system header came first. */
#if defined(ASYNCX_IMPLEMENTATION) && !defined(ASYNCX_FREESTANDING) && !defined(_POSIX_C_SOURCE) && !defined(_GNU_SOURCE) && \
    !defined(_XOPEN_SOURCE) && !defined(__APPLE__)
#define _GNU_SOURCE 1
#endif

#ifndef ASYNCX_FREESTANDING
#include <errno.h>
#endif
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#if defined(ASYNCX_FREESTANDING) && defined(__AVR__)
#include <avr/pgmspace.h> /* constants are in RAM there unless they are put and read apart */
#define AXI_ROM PROGMEM
#define AXI_ROM_READ(type, at) ((type)pgm_read_word(at))
#define AXI_STEP(t, f) (((AX_RETURN_is_missing(*)(ax_task *, ax_frame *))pgm_read_word(&(f)->fn->step))((t), (f)))
#else
#define AXI_ROM
#define AXI_ROM_READ(type, at) (*(at))
#define AXI_STEP(t, f) (AXI_STEPS((t)->loop, (f)), (f)->fn->step((t), (f)))
#endif
#if ASYNCX_DEBUG && !defined(ASYNCX_FREESTANDING)
#define AXI_STEPS(loop, frame) ((loop)->stepping = (frame)) /* misuse is told with its place */
#else
#define AXI_STEPS(loop, frame) ((void)0)
#endif

#if defined(ASYNCX_STATIC) && defined(__GNUC__)
#define AX_API static __attribute__((unused))
#elif defined(ASYNCX_STATIC)
#define AX_API static
#else
#define AX_API extern
#endif

#if defined(__GNUC__) || defined(__clang__)
#define AX_MUST_USE __attribute__((warn_unused_result)) /* for ops of your own: a forgotten await is a warning */
#define AXI_INLINE static inline __attribute__((unused))
#ifdef ASYNCX_SWITCH
#define AXI_KEEP_LABELS
#else
#define AXI_KEEP_LABELS __attribute__((noinline))
#endif
#if defined(__AVR__) && !defined(__clang__) /* nor a copy of it that is passed values for pointers: they take more registers */
#define AXI_SLOW __attribute__((noinline, noclone))
#else
#define AXI_SLOW __attribute__((noinline)) /* keeps the rare out of the common path's registers */
#endif
#define AXI_CONST(x) __builtin_constant_p(x)
#define AXI_LIKELY(x) __builtin_expect(!!(x), 1)
#else
#define AX_MUST_USE
#define AXI_INLINE static inline
#define AXI_KEEP_LABELS
#define AXI_SLOW
#define AXI_CONST(x) 0
#define AXI_LIKELY(x) (x)
#ifndef ASYNCX_SWITCH
#define ASYNCX_SWITCH
#endif
#ifndef __TINYC__
#define ASYNCX_COMMA
#endif
#endif

#if defined(ASYNCX_FREESTANDING)
#define AXI_THREAD_LOCAL /* only the loop's thread comes there */
#elif defined(__GNUC__)
#define AXI_THREAD_LOCAL __thread
#elif defined(_MSC_VER)
#define AXI_THREAD_LOCAL __declspec(thread)
#else
#define AXI_THREAD_LOCAL /* then only one thread of the program may use asyncx */
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- 2 Status -----------------------------------------------------------------------------------------

   Every result is an int: >= 0 is success and often a count, negative is an error. On hosts AX_EX is -EX, so a
   negated errno of any library passes through unchanged; freestanding, they are -1, -2 and so on in the order of this list.
   The end of a stream is a value (0), not an error. Errors of your own: from -30,000 to -20,000, say; the numbers
   next to INT_MIN are the library's. */

#define AXI_ERRORS(X)                                                                   \
    X(EPERM, "the operation is not allowed in this state, or not by this caller")       \
    X(EINTR, "interrupted by a signal")                                                 \
    X(EBADF, "not an open file descriptor, or it was closed while somebody waited")     \
    X(EAGAIN, "not possible without waiting, or just now")                              \
    X(ENOMEM, "out of memory")                                                          \
    X(EFAULT, "bad address: memory that does not outlive the wait, or a lost resume point") \
    X(EBUSY, "already in use: a second waiter, or a scope that is open")                \
    X(EINVAL, "invalid argument")                                                       \
    X(EPIPE, "the other end is closed")                                                 \
    X(EDEADLK, "would wait for ever")                                                   \
    X(EOVERFLOW, "too large, or too many")                                              \
    X(ECANCELED, "cancelled")                                                           \
    X(ECONNABORTED, "given up by another party")                                        \
    X(EINPROGRESS, "not finished yet")                                                  \
    X(EALREADY, "done already")                                                         \
    X(ETIMEDOUT, "timed out")                                                           \
    AXI_HOST_ERRORS(X)
#ifndef ASYNCX_FREESTANDING
#define AXI_HOST_ERRORS(X) /* what sockets and files add */                             \
    X(EIO, "input or output failed")                                                    \
    X(EACCES, "permission denied")                                                      \
    X(ENOENT, "no such name, file or directory")                                        \
    X(EEXIST, "it exists already")                                                      \
    X(ENOSPC, "no space left on the device")                                            \
    X(EROFS, "it can only be read")                                                     \
    X(ENAMETOOLONG, "a name or path is too long")                                       \
    X(EMFILE, "too many open descriptors")                                              \
    X(EMSGSIZE, "a message is too long")                                                \
    X(EPROTO, "the other side does not keep to the protocol")                           \
    X(EADDRINUSE, "address already in use")                                             \
    X(EADDRNOTAVAIL, "no such address on this machine, or no port left")                \
    X(ENOTCONN, "not connected")                                                        \
    X(ECONNREFUSED, "connection refused")                                               \
    X(ECONNRESET, "connection reset by peer")                                           \
    X(ENETUNREACH, "no way to the network")                                             \
    X(EHOSTUNREACH, "no way to the host")
#else
#define AXI_HOST_ERRORS(X)
#endif

#ifdef ASYNCX_FREESTANDING
#define AXI_X(name, text) AXI_NUMBER_##name,
enum { AXI_NUMBER_0, AXI_ERRORS(AXI_X) };
#undef AXI_X
#define AXI_X(name, text) AX_##name = -AXI_NUMBER_##name,
#else
#define AXI_X(name, text) AX_##name = -name,
#endif
enum { AXI_ERRORS(AXI_X) };
#undef AXI_X

#ifndef ASYNCX_FREESTANDING
/* What a POSIX call gave as a status: -1 becomes its errno. AX_CHECK(ax_sys(open(path, O_RDONLY))); else -1 would be AX_EPERM. */
AXI_INLINE int ax_sys(int result) { return result < 0 ? -errno : result; }
#endif
/* The sentence for a status; for an error outside the list the C library's. Never NULL. On AVR such texts are in flash, to be read
   with pgm_read_byte. */
AX_API const char *ax_strerror(int status);
/* "AX_ETIMEDOUT" and so on; "error" for a number outside the list, "success" for >= 0. */
AX_API const char *ax_errname(int status);

/* ---- 3 Time -------------------------------------------------------------------------------------------

   ax_time counts nanoseconds of a clock that never jumps; durations and points in time share the type. AX_SEC(0.5), AX_MS(20) and
   AX_US(5) make one, of constants and variables; what is too large becomes just less than AX_FOREVER (gcc, clang). To print one:
   (double)t / (double)AX_SEC(1).

   Freestanding, it counts the port's ticks, and wraps around with 16 or 32 bits: a duration may be 3/8 of what the type holds
   (18 days, or 24 seconds, at 1,000 Hz). A longer one is AX_EINVAL for sleeps and limits; of a point in time (ax_later, timers)
   nobody notices. No step may take an eighth of it (8 s with 16 bits at 1,000 Hz, 0.25 s at 32,768 Hz): what has been due for so
   long may look as if it were to come, and wait. AX_SEC and the like round up. Of constants they are constants; of
   variables they multiply, and divide in 64 bits if the tick's rate is no multiple of 1,000 (AX_US: of 1,000,000). A sleep or limit
   for a time takes a tick more, since the one that is running has begun already: never early. For a rhythm use ax_sleep_until. Add
   to a point in time with ax_later: a plain sum may overflow, or be AX_FOREVER by chance. */

#ifndef ASYNCX_FREESTANDING
typedef int64_t ax_time;
#define AX_FOREVER INT64_MAX
#elif ASYNCX_TIME_BITS == 64
typedef int64_t ax_time;
#define AX_FOREVER INT64_MAX
#elif ASYNCX_TIME_BITS == 32
typedef int32_t ax_time;
#define AX_FOREVER INT32_MAX
#elif ASYNCX_TIME_BITS == 16
typedef int16_t ax_time;
#define AX_FOREVER INT16_MAX
#else
#error "asyncx.h: ASYNCX_TIME_BITS is 16, 32 or 64"
#endif

/* ---- 4 The model --------------------------------------------------------------------------------------

   frame  one activation of an async function: your struct, whose first member is `ax_frame frame`
   task   a stack of frames that runs concurrently with other tasks
   op     anything awaitable: a function that returns ax_op
   scope  something opened in a frame that closes when the frame's body is left
   loop   a ready queue, timers and poll(); it goes round in turns: a turn runs what was ready when it began, then queues the
          timers that have become due, then looks at the descriptors, sleeping there until the next deadline if nothing is ready

   The structs of this header are yours to place, and must not be copied or moved while in use: they hold links. They start
   zeroed, as statics and the members of a frame do; what malloc() gives is not. Zeroed is ready to use, but for semaphores,
   conditions, barriers, limiters, queues, readers and writers, which need their init.

   The descriptions say what a function does, then what it gives: an op leaves that in me->rc. "May suspend": other tasks may
   run before it is done. Not repeated everywhere: each op that waits gives AX_ECANCELED when it is cancelled; one that follows
   an op that was not awaited, AX_EBUSY; with ASYNCX_DEBUG, data in a C local gives AX_EFAULT and the wrong thread AX_EPERM. */

typedef struct ax_task ax_task;
typedef struct ax_frame ax_frame;
typedef struct ax_group ax_group;
typedef struct ax_generator ax_generator;
typedef struct ax_loop ax_loop;

/* An op is done with a result, or pending after it has parked the task. A struct, so that it can't be mistaken
   for the result; it has to be awaited. */
typedef struct ax_op {
    int axi;
} ax_op;

/* Called to undo a wait when its task is cancelled, also if the cancel was pending when it parked; must not suspend, may wake
   others. It takes the task off what it waits on and returns 0: the task resumes with AX_ECANCELED. Or it returns AX_STAY: the op
   has been told, and will wake the task itself, with AX_ECANCELED if it was stopped, else with its result; then the cancel is met
   at the task's next wait. */
typedef int ax_forget(ax_task *task, void *obj);
#define AX_STAY 1

typedef void ax_fn(ax_loop *loop, void *arg);

/* An op of your own, from plain C:

     AX_MUST_USE ax_op button_pressed(ax_task *me, struct button *b) {
         if (b->down) return ax_done(1);                  // done already: no suspension
         if (b->waiter) return ax_done(AX_EBUSY);
         b->waiter = me;
         return ax_park(me, button_forget, b);            // pending; button_event() will ax_wake(b->waiter, 1)
     } */

/* The op is done with this status. */
AXI_INLINE ax_op ax_done(int status) {
    ax_op op;
    op.axi = status;
    return op;
}
/* The op waits: the task sleeps until ax_wake, or until it is cancelled, when forget(task, obj) is called (NULL: nothing
   to undo). A cancel that is pending is delivered here. A wake between registering and parking is not lost. */
AX_API AX_MUST_USE ax_op ax_park(ax_task *me, ax_forget *forget, void *obj);
/* Ends the wait of a parked task: queues it, and its await gives this status. It does not run inside the call. 0, also between
   registering and ax_park; AX_EALREADY if it does not wait there. Needs no memory. Clear your pointer to the task first
   (b->waiter = NULL): forget is not called after ax_wake, and a cancel is met at the task's next wait. */
AX_API int ax_wake(ax_task *task, int status);

/* ---- Private: what the structs below are made of; of ax_task, rc and loop are public. The API goes on with 5 ---- */

enum { AXI_UNUSED, AXI_FRAME, AXI_LIMIT, AXI_GROUP, AXI_PERMIT, AXI_MUTEX, AXI_DEFER, AXI_GENERATOR }; /* entry.kind */
#ifndef ASYNCX_FREESTANDING
typedef struct axi_link { struct axi_link *next, *prev; } axi_link;
typedef unsigned short axi_count; /* of requests to cancel */
#else
typedef struct axi_link { struct axi_link *next; } axi_link;
typedef unsigned char axi_count;
#endif
typedef struct axi_list { struct axi_link *ring; } axi_list; /* {0} is empty; else its first, or freestanding its last */
typedef struct axi_node {                                    /* whatever runs from the ready queue or has a timer */
    axi_link link;                                           /* in the ready queue, or in one list of waiters */
    unsigned char state, bad, flags;
#ifndef ASYNCX_FREESTANDING
    unsigned char kind;
    unsigned timer, seq;                                     /* 1 + place among the timers; order among equal deadlines */
    axi_count count;                                         /* of tasks: requests to cancel */
    unsigned short refs;                                     /* of tasks: references */
#elif AXI_CANCEL
    axi_count count;
    unsigned char refs;
    axi_link timer;                                          /* in the loop's list of timers, or NULL */
#endif
} axi_node;
#ifndef ASYNCX_FREESTANDING
typedef uintptr_t axi_point; /* where a frame continues: AXI_AT_START and so on, a label's address or the number of a case */
#else
typedef unsigned char axi_point;
#endif
typedef struct axi_entry { /* an open scope or frame: the unwind stack of a task */
    struct axi_entry *up;
#ifndef ASYNCX_FREESTANDING
    unsigned char kind, flags;
    axi_count base;      /* the task's requests at entry, less those unmet then: later ones are this scope's */
    unsigned seq;        /* frames and limits: the order among limits that end at the same time */
#else
#if AXI_CANCEL
    unsigned char kind;
    axi_count base;
#endif
    unsigned char flags;
    axi_point at;
#endif
} axi_entry;
/* Closes a scope of a body that is left with this status: what it makes of that, or AXI_PENDING while it is awaited. */
typedef int axi_close(ax_task *task, axi_entry *scope, int status);
typedef struct axi_scope { /* what every scope begins with; whoever opens one sets close, so that what is not used is not linked */
    axi_entry entry;
    axi_close *close;
} axi_scope;
typedef struct AX_RETURN_is_missing { /* what a body gives: a type of its own, so that `return op;` does not compile there */
    int axi;
} AX_RETURN_is_missing;
struct axi_fn {
    AX_RETURN_is_missing (*step)(ax_task *, ax_frame *);
    size_t size;
#if ASYNCX_NAMES
    const char *name;
#endif
#if AXI_FILES
    const char *file;
#endif
};

struct ax_frame {
    axi_entry entry; /* private, all of it */
#ifndef ASYNCX_FREESTANDING
    axi_point at;
#endif
    const struct axi_fn *fn;
#if AXI_CANCEL
    ax_time within;  /* AX_WITHIN's limit on the current await */
#endif
    int status;      /* once the body is left: what the caller will get */
#if ASYNCX_TRACE
    int line;
#endif
};

struct ax_task {
    axi_node node;
    int rc;             /* public, read-only: the result of the last await */
#ifndef ASYNCX_FREESTANDING
    unsigned limit_seq;
#endif
    ax_loop *loop;      /* public, read-only */
    ax_frame *frame;    /* private from here: innermost frame, the one to resume; once DONE, the first one */
#if AXI_CANCEL
    axi_entry *top;     /* innermost open scope or frame */
    ax_forget *forget;  /* the current wait: its hook and object, */
    void *obj;
#endif
    union {
        void *data;     /* where its data goes or comes from, */
        ax_time wake;   /* or when it is over */
    } u;
#if AXI_CANCEL
    ax_time limit;      /* the earliest open limit */
    ax_group *group;
    axi_link sibling;
    axi_list waiters;   /* joiners and done callbacks */
#endif
};

/* ---- 5 Async functions --------------------------------------------------------------------------------

   AX_ASYNC(name) { AX_BEGIN; ... AX_FINALLY: ... AX_END; } defines the async function over `struct name`. Before AX_BEGIN
   stand only aliases (`struct room *r = my->room;`): that code runs at every resume.

   AX_FINALLY: is optional, once, at the top level of the body.
     - It runs however the body is left, even if a cancel came before its first step: ask the frame what there is to clean up.
     - It is the outermost scope: permits, groups and the like of the same frame are closed before it.
     - No await leaves it: errors stay in me->rc, the body's status stands (ax_leaving reads it), AX_RETURN does not compile.
     - A cancel that comes while it waits ends that one wait (AX_ECANCELED), and the caller's next: await again what must finish.
     - It is a label: no declaration stands directly after it. Inside a block it would be skipped when the body ends normally.

   The macros work between AX_BEGIN and AX_END only. But AX_CALL may be what a plain function returns that has `me` (an op to
   choose at run time), and AX_SPAWN may stand anywhere on the loop's thread. What they expand to is at the end of the declarations.

     AX_AWAIT(op)         wait; the result is in me->rc. An error leaves the body with that error.
     AX_TRY(op)           as AX_AWAIT, but an error stays in me->rc. The task's own cancellation still leaves.
     AX_TRY_ALL(op)       keeps even that, for rare code that turns a cancel into something else, and takes it back (ax_uncancel).
     AX_CHECK(status)     for a plain call: its result is in me->rc, an error leaves the body. No await: locals stay, and nobody
                          else runs.
     AX_WHILE(op) { }     runs the block while the op gives > 0 (in me->rc, until the block's first await), ends at 0,
                          leaves on an error. A loop of C: break and continue work.
     AX_WITHIN(time, op)  an op with a time limit: AX_ETIMEDOUT, once the limited call has finished its cleanup. (If the call turns
                          its cancel into another result, you get that, and ax_expired is 0.) Zero or less is due at once,
                          AX_FOREVER never; of several the earliest binds. AX_EINVAL as for ax_sleep. In a body only.
     AX_CALL(fn, .a = 1)  an op: call an async function; the frame comes from the loop's allocator. AX_ENOMEM: it was not called,
                          and what the arguments own is still yours (AX_CALL_IN can't fail so).
     AX_CALL_IN(&my->slot, fn, .a = 1)    the same with the frame in a `struct fn` of yours; readable afterwards. AX_EBUSY while
                          a call is in it.
     AX_RETURN(status)    leave the body (a plain return does not compile). AX_ECANCELED passes the task's own cancel on, if it had
                          one that was not taken back.
     AX_EMIT()            in a generator: the frame's fields are the item; pause until the consumer asks for the next.
     AX_GENERATE(&my->pages, fn, .a = 1)  open a generator in storage of type AX_GENERATOR(fn) (see 11 Generators).
     AX_SPAWN(&group, fn, .a = 1)         start a task: ax_task *, or NULL (see 7 Groups).
     AX_SPAWN_IN(&group, &storage, fn, .a = 1)   the same in storage of type AX_TASK(fn), without allocation.

   Arguments are named and set on a zeroed frame: `.a = 1` becomes `(*frame) .a = 1;`, at most 16 of them. They are assigned:
   a compound literal needs parentheses, `.p = ((struct pt){1, 2})`. A function used before its definition needs AX_DECLARE(fn);
   one that other files call is defined with AX_PUBLIC(fn), and declared in a header with AX_EXTERN(fn);

   A task pointer is good until your next await: a child that ends is freed. To use it later, spawn with AX_SPAWN_IN, open the
   group with AX_GROUP_KEEP, or take a reference with ax_task_ref. */

#define AX_DECLARE(name) static const struct axi_fn *AXI_FN(name)(void) /* AX_DECLARE(name); before use */
#define AX_EXTERN(name) extern const struct axi_fn *AXI_FN(name)(void)  /* AX_EXTERN(name); in a header */
#define AX_ASYNC(name) AXI_ASYNC(name, static)                          /* internal linkage */
#define AX_PUBLIC(name) AXI_ASYNC(name, extern)                         /* after its AX_EXTERN */

/* Storage for a task and its first frame: AX_TASK(blink) led; */
#define AX_TASK(fn)        \
    struct {               \
        ax_task task;      \
        struct fn frame;   \
    }
/* Storage for a generator and its frame: AX_GENERATOR(pages) pages; */
#define AX_GENERATOR(fn)         \
    struct {                     \
        ax_generator generator;  \
        struct fn frame;         \
    }
/* The first frame of a task that was spawned with fn, which is defined or declared by then: arguments and results of a child. With
   ASYNCX_DEBUG NULL for a task of another function. */
#define AX_FRAME(fn, task) ((struct fn *)(void *)AXI_FRAME_OF(task, fn))

/* ---- 6 Tasks ------------------------------------------------------------------------------------------ */

/* A function to be called later by the loop, never from inside the call that asks for it. The struct is yours and must stay
   until it has run or was stopped. It waits for one thing at a time: to ask for the same again changes nothing, for something else
   is AX_EBUSY. What takes one (ax_on_done, ax_future_on_done, ax_soon, ax_post, ax_at_close) gives 0, that, or AX_EPERM where it
   may not be called or the loop is closed. */
typedef struct ax_callback {
    axi_node node;  /* private, all of it */
    ax_fn *fn;
    void *arg;
    axi_list *list; /* where it hangs */
    ax_loop *loop;
#ifndef ASYNCX_FREESTANDING
    struct ax_callback *posted;
#endif
} ax_callback;

#if AXI_CANCEL
/* Asks a task to stop: its current wait ends with AX_ECANCELED and its body unwinds. 1, or 0 if it has ended already. A task
   that has not started never runs its body, only AX_FINALLY. A result that is already on its way is delivered first. */
AX_API int ax_cancel(ax_task *task);
/* Takes one request back: once for each ax_cancel of yours. How many are left; at 0 a pending one is dropped too. A body that
   keeps a cancel with AX_TRY_ALL takes it back: else a limit or group that was open at the time ends as cancelled (AX_ECANCELED),
   also where it would have ended with AX_ETIMEDOUT, or 0 by ax_group_cancel. */
AX_API int ax_uncancel(ax_task *task);
/* How many requests to cancel the task has had, less those taken back. (Counted up to 65,535; freestanding, to 15.) */
AX_API int ax_cancelling(const ax_task *task);
/* Waits for a task of any group and gives its status; cancelling the waiter leaves the task alone. AX_EDEADLK for oneself.
   May suspend. */
AX_API AX_MUST_USE ax_op ax_join(ax_task *me, ax_task *task);
/* A ready-made task that joins another and ends with its status: with it a group of yours can wait for, race or collect tasks of
   other groups, and leave them running. It takes over a reference: AX_SPAWN(&my->group, ax_joiner, .task = ax_task_ref(other)). */
struct ax_joiner {
    ax_frame frame;
    ax_task *task;
};
#endif
/* The status a task ended with; AX_EINPROGRESS before. */
AX_API int ax_task_status(ax_task *task);
#if ASYNCX_NAMES
/* The name of the async function that the task was spawned with. On AVR in flash, as above. */
AX_API const char *ax_task_name(const ax_task *task);
/* The innermost function that the task is in, and the line where it waits (0 without ASYNCX_TRACE, freestanding without the file
   too): for dumps and logs. */
typedef struct ax_where {
    const char *function, *file;
    int line;
} ax_where;
AX_API ax_where ax_task_where(const ax_task *task);
#endif
#if AXI_CANCEL
/* Calls fn for every task of the loop that has not ended, parents before their children, a group's in order of their spawns; depth
   is 0 for those in the loop's root group. fn may only look. */
typedef void ax_task_fn(ax_task *task, int depth, void *arg);
AX_API void ax_tasks(ax_loop *loop, ax_task_fn *fn, void *arg);
/* Keeps a task's memory after its end, until ax_task_unref, which has to come before the loop is closed. Both give the task back,
   or NULL once it is gone. A task that has 65,535 references at once (freestanding: 255) stays. */
AX_API ax_task *ax_task_ref(ax_task *task);
AX_API ax_task *ax_task_unref(ax_task *task);
/* Calls fn(loop, arg) on the turn after the task has ended, in order of registration; on the next turn if it has ended
   already. Hold the task with ax_task_ref if fn looks at it. */
AX_API int ax_on_done(ax_task *task, ax_callback *callback, ax_fn *fn, void *arg);
#endif
/* Lets everybody else have a turn: 0. A cancel is met here, too. Always suspends. */
AX_API AX_MUST_USE ax_op ax_checkpoint(ax_task *me);
/* In AX_FINALLY: the status that the body was left with. Elsewhere 0. */
AX_API int ax_leaving(const ax_task *me);
#if AXI_CANCEL
/* Whether me->rc is the AX_ETIMEDOUT of the AX_WITHIN around that very await: 0 if it came from the callee, from a limit
   inside it, or from a peer. Good until the next await. */
AX_API int ax_expired(const ax_task *me);
#endif

/* ---- 7 Groups -----------------------------------------------------------------------------------------

   Tasks live in groups, and a group is a scope of the frame that opens it: when the body is left, the group's tasks are waited
   for; when it is left by an error or a cancel, they are cancelled first. The first child to fail cancels its siblings
   and the owner's body, and its error is what the join and the frame report. A cancelled child is no failure.

   AX_SPAWN gives NULL if the group is closed or aborting, which changes nothing; or if there is no memory: then the group fails
   with AX_ENOMEM (not with AX_GROUP_COLLECT), so that an unchecked spawn shows at the join. In both cases the arguments are not
   evaluated, and what they own stays yours: if (!AX_SPAWN(&my->clients, serve, .fd = fd)) ax_close(me->loop, fd); */

enum {
    AX_GROUP_COLLECT = 1,    /* failures do not touch siblings; the join gives how many failed (cancelled ones are not counted;
                                without a join nobody hears of it) */
    AX_GROUP_RACE = 2,       /* the first success cancels the rest; the join gives its status (let each child return its number),
                                or the first error, or AX_ECANCELED if nobody won */
    AX_GROUP_BACKGROUND = 4, /* children are cancelled when the body ends: heart-beats (a join waits for them, as ever) */
    AX_GROUP_KEEP = 8        /* ended children are kept for ax_group_next */
};

struct ax_group {
#if AXI_CANCEL
    axi_entry entry; /* private, all of it */
    axi_close *close;
    axi_link link;
    ax_task *owner;
    axi_list children;
    int error;  /* the first of a child or of the body */
    int result; /* what the join gives if there is none: 0, how many failed, or who won the race */
    unsigned char flags; /* AX_GROUP_... */
#endif
#if AXI_KEEP
    ax_task *handed;
    axi_list ended;
#endif
    ax_loop *loop;
};

#if AXI_CANCEL
/* Opens a group in this frame; flags are AX_GROUP_... or 0. Storage may be reused once the group has ended. 0; it fails only by
   misuse, which shows at the first spawn, so this need not be looked at: AX_EBUSY if it is open, AX_EINVAL for AX_GROUP_COLLECT
   with AX_GROUP_RACE, AX_EFAULT on the C stack. */
AX_API int ax_group_open(ax_task *me, ax_group *group, unsigned flags);
/* Waits for all children and closes the group: 0, the first error, or what its flags say. Children and callbacks may spawn more
   into it meanwhile; it closes when none is left. If the owner is cancelled, the children are, and all are awaited. For the owner.
   May suspend. */
AX_API AX_MUST_USE ax_op ax_group_join(ax_task *me, ax_group *group);
#if AXI_KEEP
/* With AX_GROUP_KEEP (else AX_EPERM): waits for the next child to end, in order of completion. 1 and the child, which is good
   until the next call; 0 when none is left, or the group's error. The group stays open, for more children and for its join. For
   the owner, in any of its frames. May suspend. */
AX_API AX_MUST_USE ax_op ax_group_next(ax_task *me, ax_group *group, ax_task **child);
#endif
/* Cancels the children, and lets no more in (into a loop's root: until the loop closes). An owner that waits in the join gets what
   that gives without an error (0; of a race that nobody has won, AX_ECANCELED), one in ax_group_next the children and the end; one
   that is elsewhere leaves the frame that opened the group, which ends with 0. 0, or AX_EPERM if it is not open. */
AX_API int ax_group_cancel(ax_group *group);
#endif

/* ---- 8 Sleeping and limits ---------------------------------------------------------------------------- */

/* The time, read anew; of the loop's virtual clock if it has one. */
AX_API ax_time ax_now(ax_loop *loop);
/* The point in time that is this much later than now; AX_FOREVER stays AX_FOREVER. */
AX_API ax_time ax_after(ax_loop *loop, ax_time time);
/* when + time, without overflow (a tick more where that would be AX_FOREVER; freestanding, when is not AX_FOREVER itself). A rhythm
   without drift:
   AX_AWAIT(ax_sleep_until(me, my->next = ax_later(my->next, AX_SEC(1)))); */
AX_API ax_time ax_later(ax_time when, ax_time time);
/* How long ago a point in time was, and how long it is until one; negative the other way round. AX_FOREVER is for ever away.
   AX_AWAIT(AX_WITHIN(ax_until(me->loop, my->deadline), ax_queue_get(me, my->queue, &my->item))); */
AX_API ax_time ax_since(ax_loop *loop, ax_time when);
AX_API ax_time ax_until(ax_loop *loop, ax_time when);
/* Sleeps for a time or until a point in time; never wakes early. Zero or less takes one turn; AX_FOREVER ends by a cancel, and is
   no deadlock where Ctrl-C may bring one. 0; AX_EINVAL for an int or a double below AX_US(1), a forgotten AX_SEC (as for all time
   limits, and a limiter's period; not freestanding). What is computed from a time is cast: (ax_time)(time * 0.5). Always suspends.
   (Where hundreds of timers come due at a time, the next ones may be up to 1 ms late, so that they share a wake-up.) */
AX_API AX_MUST_USE ax_op ax_sleep(ax_task *me, ax_time time);
AX_API AX_MUST_USE ax_op ax_sleep_until(ax_task *me, ax_time when);

#if AXI_CANCEL
/* A time limit for the rest of the body, or until it is closed. When it expires the body is cancelled and the frame ends with
   AX_ETIMEDOUT. It fires once; of several due at once all have expired, and the outermost reports. time: from now; zero or less is
   due at the next suspension; AX_FOREVER none. 0; AX_EBUSY if it is open. */
typedef struct ax_timeout {
    axi_entry entry;
    axi_close *close;
    ax_time when;  /* public, read-only: the deadline */
    int expired;   /* public, read-only */
    ax_task *task;
} ax_timeout;
AX_API int ax_timeout_open(ax_task *me, ax_timeout *limit, ax_time time);
/* Moves the deadline to a point in time, as ax_after(me->loop, AX_SEC(5)); AX_FOREVER: none. AX_EPERM unless open and not
   expired. */
AX_API int ax_timeout_reschedule(ax_timeout *limit, ax_time when);
/* Ends the limit before the body ends. 1 if it had expired, else 0. AX_EPERM unless open. */
AX_API int ax_timeout_close(ax_timeout *limit);

/* Calls fn(arg) when the frame's body is left, whatever the reason; it must not wait. 0; AX_EBUSY if the scope is open. */
typedef struct ax_deferred {
    axi_entry entry;
    axi_close *close;
    void (*fn)(void *arg);
    void *arg;
    ax_task *task;
} ax_deferred;
AX_API int ax_defer(ax_task *me, ax_deferred *scope, void (*fn)(void *arg), void *arg);
/* Takes it back, as when what fn would free is somebody else's by now: fn is not called. 1, or 0 if the scope is not open. */
AX_API int ax_defer_stop(ax_deferred *scope);
#endif

#if AXI_CANCEL && ASYNCX_TIME_BITS == 64 /* a clock that wraps around can't tell for how long a bucket has been full */

/* Rate limit, as a token bucket, FIFO: at most rate tokens per period in the long run and burst at once, so that rate + burst - 1
   may fall into one period: with a burst of 1 never more than rate (but less, as each wake-up is a little late; a burst of rate /
   100 makes up for that). A waiter takes its tokens when its turn has come, not before: one that is cancelled costs the others
   nothing. Exact to the tick (the generic cell rate algorithm of ITU-T I.371, which keeps one point in time instead of a count). */
typedef struct ax_limiter {
    ax_time interval; /* public, read-only: what one token takes to come back */
    int burst;
    ax_time full; /* private: when the bucket will be full */
    axi_list waiters;
} ax_limiter;
#define AX_LIMITER_INIT(rate, period, burst) {(period) / (rate) + ((period) % (rate) != 0), (burst), 0, {NULL}}
/* rate 10, period AX_SEC(1): ten per second. The bucket starts full. 0; AX_EINVAL if one is below 1, or the burst too long. */
AX_API int ax_limiter_init(ax_limiter *limiter, int rate, ax_time period, int burst);
/* Takes this many tokens at once: 0, or AX_EINVAL below 1 or above burst. May suspend. */
AX_API AX_MUST_USE ax_op ax_limiter_acquire(ax_task *me, ax_limiter *limiter, int tokens);
AX_API int ax_limiter_try_acquire(ax_loop *loop, ax_limiter *limiter, int tokens); /* 0 or AX_EAGAIN */
AX_API int ax_limiter_tokens(ax_loop *loop, const ax_limiter *limiter);            /* how many there are now */
#endif

/* Pauses between retries: AX_AWAIT(ax_sleep(me, ax_backoff_next(&my->backoff))). Each is random between 0 and a limit that starts
   at base and is multiplied by factor until it reaches cap ("full jitter": M. Brooker, "Exponential backoff and jitter", 2015).
   Set base (0: no pauses), and any other field you like; tries = 0 starts over. */
typedef struct ax_backoff {
    ax_time base, cap; /* cap 0: none */
    int factor;        /* 0: 2 */
    int tries;         /* pauses so far */
#if ASYNCX_TIME_BITS == 64
    uint64_t seed;     /* of the random numbers; 0: chosen at the first pause, from the clock and its address. Without an operating
                          system those are the same in each device: set it from the chip's number */
#else
    uint32_t seed;
#endif
} ax_backoff;
AX_API ax_time ax_backoff_next(ax_backoff *backoff);

/* ---- 9 Locks, events, futures ------------------------------------------------------------------------- */

/* Counting semaphore, FIFO. A released permit goes straight to the first waiter. */
typedef struct ax_sem {
    int permits; /* public, read-only: free permits */
    int max;     /* INT_MAX: unbounded */
    axi_list waiters;
} ax_sem;
#define AX_SEM_INIT(permits) {(permits), INT_MAX, {NULL}} /* for statics; in a frame call ax_sem_init */
#if AXI_CANCEL
typedef struct ax_permit { /* a held permit as a scope: given back when the frame is left */
    axi_entry entry;
    axi_close *close;
    ax_sem *sem;
    ax_task *task;
    int held;
} ax_permit;
#endif
/* max 0: unbounded, else a release beyond it is refused. AX_EINVAL if negative, or more permits than max. */
AX_API int ax_sem_init(ax_sem *sem, int permits, int max);
AX_API AX_MUST_USE ax_op ax_sem_acquire(ax_task *me, ax_sem *sem); /* 0. May suspend. */
AX_API int ax_sem_try_acquire(ax_sem *sem);                        /* 0 or AX_EAGAIN */
AX_API int ax_sem_release(ax_sem *sem);                            /* 0 or AX_EOVERFLOW */
#if AXI_CANCEL
/* Acquires a permit that this frame gives back when it is left. AX_EBUSY if the permit is in use. May suspend. */
AX_API AX_MUST_USE ax_op ax_sem_enter(ax_task *me, ax_sem *sem, ax_permit *permit);
AX_API int ax_sem_leave(ax_permit *permit); /* gives it back earlier; AX_EPERM if not held */

/* Mutex with an owner, FIFO; a scope of the frame that locks it. Not recursive: AX_EDEADLK. {0} is unlocked. */
typedef struct ax_mutex {
    axi_entry entry;
    axi_close *close;
    ax_task *owner; /* public, read-only */
    axi_list waiters;
} ax_mutex;
AX_API AX_MUST_USE ax_op ax_mutex_lock(ax_task *me, ax_mutex *mutex); /* 0. May suspend. */
AX_API int ax_mutex_try_lock(ax_task *me, ax_mutex *mutex);           /* 0 or AX_EAGAIN, also for the owner */
/* AX_EPERM if me does not hold it, which is reported; but when a frame is left it has let go of what it had locked, and an unlock
   there is only late. */
AX_API int ax_mutex_unlock(ax_task *me, ax_mutex *mutex);

/* Condition: a place to wait, under a mutex, for others to change what the mutex guards. wait lets go of the mutex and holds
   it again whenever it ends, by a result, an error or a cancel. Test what you wait for in a loop:
   `while (!my->room->ready) AX_AWAIT(ax_cond_wait(me, &my->room->changed));` Several conditions may share a mutex. A
   wait locks it anew, so that it is the frame's newest scope: when the frame is left it is unlocked first. */
typedef struct ax_cond {
    ax_mutex *mutex;
    axi_list waiters;
} ax_cond;
#define AX_COND_INIT(mutex) {(mutex), {NULL}}
AX_API void ax_cond_init(ax_cond *cond, ax_mutex *mutex);
AX_API AX_MUST_USE ax_op ax_cond_wait(ax_task *me, ax_cond *cond); /* 0, or AX_EPERM if me does not own the mutex. May suspend. */
/* Wakes the first n waiters (AX_COND_ALL: all); each goes on when it has the mutex. How many, or AX_EPERM as above. */
AX_API int ax_cond_notify(ax_task *me, ax_cond *cond, int n);
#define AX_COND_ALL INT_MAX
#endif

/* Barrier: tasks wait until as many as `parties` have come, then all pass; the next to come begin a new round. */
typedef struct ax_barrier {
    int parties, waiting, broken; /* public, read-only */
    axi_list waiters;
} ax_barrier;
#define AX_BARRIER_INIT(parties) {(parties), 0, 0, {NULL}}
AX_API int ax_barrier_init(ax_barrier *barrier, int parties); /* AX_EINVAL below 1 */
/* Each task of a round gets a number of its own, from 0; the last to come gets parties - 1, and goes on first. AX_ECONNABORTED if
   the barrier is or gets broken. One that is cancelled just leaves. May suspend. */
AX_API AX_MUST_USE ax_op ax_barrier_wait(ax_task *me, ax_barrier *barrier);
AX_API void ax_barrier_abort(ax_barrier *barrier); /* breaks it for those who wait and those who come */
AX_API void ax_barrier_reset(ax_barrier *barrier); /* those who wait get AX_ECONNABORTED; then it is whole again */

/* How many wait in a list of this header: ax_waiters(&sem.waiters), ax_waiters(&queue.getters). For tests and debugging. */
AX_API int ax_waiters(const axi_list *list);

/* A flag to wait for. Setting wakes all who wait now, for good: a later clear does not take it back. {0} is clear. */
typedef struct ax_event {
    int set; /* public, read-only */
    axi_list waiters;
} ax_event;
AX_API AX_MUST_USE ax_op ax_event_wait(ax_task *me, ax_event *event); /* 0. May suspend. */
AX_API void ax_event_set(ax_event *event);
AX_API void ax_event_clear(ax_event *event);

/* A result that comes once, from anywhere on the loop's thread: the bridge from callbacks to tasks. {0} is a fresh one, and makes
   one that is done fresh again. When a waiter is cancelled, cancel(future, arg) is called, if it is set. 0: it has stopped the
   operation, and the future is completed with AX_ECANCELED for all who wait. AX_STAY: they wait on, until the operation completes
   it. Without cancel the waiter goes, and the operation runs on. */
typedef struct ax_future {
    int status, done; /* public, read-only */
    int (*cancel)(struct ax_future *future, void *arg);
    void *arg;
    axi_list waiters;
} ax_future;
AX_API AX_MUST_USE ax_op ax_future_wait(ax_task *me, ax_future *future); /* its status. May suspend. */
AX_API int ax_future_complete(ax_future *future, int status);            /* 0 or AX_EALREADY */
#if AXI_CANCEL
/* Calls fn(loop, arg) when it completes, or on the next turn if it has. Stop it before the loop closes. */
AX_API int ax_future_on_done(ax_loop *loop, ax_future *future, ax_callback *callback, ax_fn *fn, void *arg);
#endif

/* ---- 10 Queues -----------------------------------------------------------------------------------------

   Bounded queue of items of one size, by copy, over storage of yours; FIFO, or in an order of yours. A put hands its item to
   a waiting getter; a get moves the first waiting putter's item in. Capacity 0 is a rendezvous. */

/* Whether item a goes before item b; equal ones stay in the order of their puts. A put moves all that goes behind it. */
typedef int ax_before_fn(const void *a, const void *b);
AX_API int ax_queue_lifo(const void *a, const void *b); /* queue.before = ax_queue_lifo: last in, first out */

typedef struct ax_queue {
    size_t count, capacity, item_size; /* public, read-only */
    unsigned unfinished;               /* items put and not yet marked done */
    int closed;
    ax_before_fn *before;   /* public: the order of the items in it, NULL for FIFO; set it while the queue is empty */
    unsigned char *storage; /* private from here */
    size_t head;
    axi_list getters, putters, joiners;
#ifndef ASYNCX_FREESTANDING
    size_t most;            /* of a growing one: what capacity may become */
    ax_loop *loop;
#endif
} ax_queue;
/* ax_queue q = AX_QUEUE_INIT(array); */
#ifndef ASYNCX_FREESTANDING
#define AXI_NOT_GROWING , 0, NULL
#else
#define AXI_NOT_GROWING
#endif
#define AX_QUEUE_INIT(array)                                                                                                   \
    {0, sizeof(array) / sizeof *(array), sizeof *(array), 0, 0, NULL, (unsigned char *)(array), 0, {NULL}, {NULL}, {NULL}      \
     AXI_NOT_GROWING}
/* storage: capacity * item_size bytes that outlive the queue. AX_EINVAL for an item size of 0, a size that
   can't be, or missing storage. */
AX_API int ax_queue_init(ax_queue *queue, void *storage, size_t capacity, size_t item_size);
#ifndef ASYNCX_FREESTANDING
/* The same over memory of the loop's allocator that grows with its items, up to `most` (0: any number); puts may give
   AX_ENOMEM. To be freed with ax_queue_free, which drops what is left as ax_queue_close_now does. */
AX_API int ax_queue_init_growing(ax_queue *queue, ax_loop *loop, size_t most, size_t item_size);
AX_API void ax_queue_free(ax_queue *queue);
#endif
/* 0, or AX_EPIPE once closed. The item must stay (in the frame) until the put is done. May suspend. */
AX_API AX_MUST_USE ax_op ax_queue_put(ax_task *me, ax_queue *queue, const void *item);
/* 1 and the item, or 0 once closed and drained. May suspend. */
AX_API AX_MUST_USE ax_op ax_queue_get(ax_task *me, ax_queue *queue, void *item);
AX_API int ax_queue_try_put(ax_queue *queue, const void *item); /* 0, AX_EAGAIN or AX_EPIPE */
AX_API int ax_queue_try_get(ax_queue *queue, void *item);       /* 1, 0 at the end, or AX_EAGAIN */
/* No more puts: waiting ones get AX_EPIPE, what is in the queue can still be taken. Twice is harmless. */
AX_API void ax_queue_close(ax_queue *queue);
/* As ax_queue_close, but what is in the queue is dropped and counts as done; drop(item, arg), if given, gets each first. */
AX_API void ax_queue_close_now(ax_queue *queue, void (*drop)(void *item, void *arg), void *arg);
/* Marks one taken item as dealt with. AX_EINVAL, reported, if called more often than items were put. */
AX_API int ax_queue_task_done(ax_queue *queue);
/* Waits until every item that was put has been marked done. 0. May suspend. */
AX_API AX_MUST_USE ax_op ax_queue_join(ax_task *me, ax_queue *queue);

/* ---- 11 Generators ------------------------------------------------------------------------------------

   A generator is an async function that gives one item after the other with AX_EMIT(), and pauses in between. Its frame's fields
   are the item, and may carry something back:

     struct count { ax_frame frame; int from, to, i; };
     AX_ASYNC(count) {
         AX_BEGIN;
         for (my->i = my->from; my->i < my->to; my->i++) AX_EMIT();
         AX_END;
     }

     AX_GENERATE(&my->numbers, count, .from = 1, .to = 4);                     // AX_GENERATOR(count) numbers; in the frame
     AX_WHILE(ax_next(me, &my->numbers.generator)) printf("%d\n", my->numbers.frame.i);

   AX_GENERATE opens it as a scope: 0; AX_EBUSY while it is open, as after a break (ax_generator_close ends it); AX_EFAULT or
   AX_ENOMEM. The next ax_next gives that error, too. When the frame that opened it is left, a generator that pauses is left at its
   AX_EMIT with AX_ECANCELED, and its cleanup is awaited. One that was never asked just goes, without its AX_FINALLY: what its
   arguments own stays the opener's until the first ax_next.

   It is a task of its own: what it holds (locks, limits, groups) stays its own while it pauses, whoever asks for the next item. Its
   limits and its children's failures are met when it next waits. A consumer that is cancelled, or out of time, in ax_next
   cancels the wait inside the generator, which mostly ends it: then the next ax_next gives 0. A limit for one step, after which it
   goes on, belongs in the generator. */

#if AXI_GENERATORS
struct ax_generator {
    axi_entry entry; /* private, all of it */
    axi_close *close;
    ax_task task;
    ax_task *opener, *user; /* whose scope it is; who is in ax_next */
    int state, error;
    int refused;        /* AX_GENERATE while it was open: the next ax_next tells */
    int asked, closing; /* the user's requests to cancel that were passed on; it leaves at its next AX_EMIT */
};

/* 1 and an item in the generator's frame, which stays until the next call; 0 at the end, or the error that the generator ended with
   (the end is next). Any task of the loop may ask; AX_EBUSY while another is in it, or it is being closed. A limit that is due
   already does not enter it. A generator that pauses keeps its locks. May suspend. */
AX_API AX_MUST_USE ax_op ax_next(ax_task *me, ax_generator *generator);
/* Ends it early: 0 or an error after its cleanup. AX_EBUSY while another is in it. Again is harmless. May suspend. */
AX_API AX_MUST_USE ax_op ax_generator_close(ax_task *me, ax_generator *generator);
#endif

/* ---- 12 The loop and its callbacks -------------------------------------------------------------------- */

#ifndef ASYNCX_FREESTANDING
/* One function for both: ptr NULL allocates, size 0 frees; it is never asked to resize, nor from another thread. NULL: out of
   memory. Aligned as by malloc. */
typedef void *ax_alloc_fn(void *ctx, void *ptr, size_t old_size, size_t size);

enum {
    AX_VIRTUAL_CLOCK = 1, /* for tests: time starts at 0 and jumps to the next deadline when nothing is ready; it stands still while
                             a thread works for the loop, and while it is held, but does not wait for other processes */
    AX_CATCH_SIGINT = 2,  /* the first Ctrl-C cancels main, the next that comes 0.1 s later or more ends the process at once; not
                             where the program has a handler of its own, SIGINT is ignored, another thread's loop catches
                             signals, or ax_signal_wait has caught it (if that was in a run around this one, first main is
                             cancelled here, then the other task hears of it). AX_RUN sets this flag and the next; with
                             AX_RUN_WITH only what you set is caught */
    AX_CATCH_SIGTERM = 4  /* the same for what kill, systemd and containers send */
};

typedef struct ax_loop_desc { /* zero means default */
    ax_alloc_fn *alloc;       /* default: malloc with free lists per size */
    void *alloc_ctx;
    void *arena;              /* or: a fixed memory of arena_size bytes; AX_ENOMEM when it is full */
    size_t arena_size;
    ax_time (*clock)(void *ctx); /* 0 or more, and never back; default: the monotonic clock */
    void *clock_ctx;
    const struct ax_backend *backend; /* what waits on descriptors; default: poll(), or what ASYNCX_EPOLL and the like say */
    void (*report)(void *ctx, const char *text); /* misuse, deadlocks and slow steps, in a sentence that is good until
                                                    it returns, as ax_report_stderr; default: none */
    void *report_ctx;
    /* A task of the root group failed, and nobody has joined it or looked at its status when it is freed (in storage of yours or
       while the loop closes: when it ends). */
    void (*unheard)(void *ctx, ax_task *task, int status);
    void *unheard_ctx;
    ax_time slow;             /* steps and callbacks that take this long are reported; default: none */
    unsigned flags;
    unsigned threads, jobs;   /* for ax_to_thread and names: threads, jobs queued, at most (to 65,535); default: 8, any number */
    ax_time thread_wait;      /* once all tasks have ended, ax_loop_close waits this long for jobs that were abandoned and run on,
                                 then leaves them to themselves, with their memory (an arena must stay); less than 0: not at all;
                                 default: to their end */
} ax_loop_desc;

#else
typedef struct ax_loop_desc { /* zero means default */
    void *arena;       /* memory of arena_size bytes for AX_SPAWN and AX_CALL; default: none, they give AX_ENOMEM */
    size_t arena_size;
} ax_loop_desc;
#endif

#ifndef ASYNCX_FREESTANDING
AX_API void ax_report_stderr(void *ctx, const char *text); /* prints a line; ctx is not used */
#endif

/* A loop. Public are `root`, the group of its outermost tasks, into which callbacks spawn, AX_SPAWN(&loop->root, ...); and not
   freestanding `signalled`: SIGINT or SIGTERM, once it has cancelled main, until main has taken that back (read-only). */
struct ax_loop;

/* Opens a loop; desc may be NULL. 0; AX_ENOMEM; an error of pipe() or of the backend; AX_EINVAL for an arena that is too small. */
AX_API int ax_loop_open(ax_loop *loop, const ax_loop_desc *desc);
/* Runs until nothing keeps it alive: no task, no timer, watch or hold; or until ax_loop_stop. 0; AX_EDEADLK if tasks wait
   and nothing can ever wake them; AX_EBUSY inside a run; AX_EPERM on a closed loop. */
AX_API int ax_loop_run(ax_loop *loop);
/* The run returns after the current turn. The loop can be run again; AX_RUN cancels main and gives its status. */
AX_API void ax_loop_stop(ax_loop *loop);
/* For a loop that is driven by another, as in a game or a GUI: one turn that never sleeps. 1 if more is ready, 0 if not until
   ax_next_deadline, or an error. (A virtual clock goes to the next deadline when nothing is ready.) */
AX_API int ax_run_once(ax_loop *loop);
/* When the loop wants its next turn: now or earlier if something is ready, AX_FOREVER if only a descriptor or a post can
   wake it. */
AX_API ax_time ax_next_deadline(ax_loop *loop);
#ifndef ASYNCX_FREESTANDING
/* Takes memory for the timers of this many more tasks, and for descriptors below fds: 0 or AX_ENOMEM. Then a spawn into storage of
   yours and a first wait can't fail (but one for a regular file, over epoll). */
AX_API int ax_loop_reserve(ax_loop *loop, unsigned tasks, unsigned fds);
#endif
#if AXI_CANCEL
/* Cancels all tasks, awaits them, calls what ax_at_close was given, last come first, joins the threads, frees everything. Twice is
   harmless. 0; AX_EBUSY inside a run; AX_EDEADLK if a task can't end: then it is given up, without its cleanup. */
AX_API int ax_loop_close(ax_loop *loop);
#endif
#ifndef ASYNCX_FREESTANDING
/* While held, the loop keeps running though nothing else keeps it: another thread will post to it. Counted. */
AX_API void ax_loop_hold(ax_loop *loop);
AX_API void ax_loop_release(ax_loop *loop);
#endif
/* Bytes that tasks, frames and tables take now, and at the most. Threads' jobs count only with an allocator or arena of yours. */
AX_API size_t ax_loop_memory(const ax_loop *loop, size_t *peak);

#if AXI_CANCEL
/* Runs fn(loop, arg) on the next turn, in order of the calls. */
AX_API int ax_soon(ax_loop *loop, ax_callback *callback, ax_fn *fn, void *arg);
#ifndef ASYNCX_FREESTANDING
/* The same from any thread; wakes the loop. One thread's posts keep their order. A callback that other threads post is for posts
   only. A loop that only waits for posts has to be held (ax_loop_hold), else it ends or says AX_EDEADLK. What comes while the
   loop closes may run or not; after that the callback is free again. AX_EPERM once the loop is closed; its struct must still be
   there, and is not opened anew while others may post. */
AX_API int ax_post(ax_loop *loop, ax_callback *callback, ax_fn *fn, void *arg);
#endif
/* Calls fn when the loop closes, last come first, after the tasks have ended: none can be spawned, everything else still works. */
AX_API int ax_at_close(ax_loop *loop, ax_callback *callback, ax_fn *fn, void *arg);
/* Takes a callback off whatever it waits for. 1, or 0 if it waited for nothing. Another thread must not post it meanwhile. */
AX_API int ax_callback_stop(ax_callback *callback);

/* A timer that calls fn(loop, arg), once. Starting it again replaces the deadline; in fn, at ax_later(t->when, period), it repeats
   without drift. The struct is yours; {0} is a fresh one. */
typedef struct ax_timer {
    ax_callback callback; /* private, as all but: */
#ifdef ASYNCX_FREESTANDING
    ax_fn *fn;
    void *arg;
#endif
    ax_time when;         /* public, read-only: the deadline */
    int armed;            /* public, read-only */
    int background;
} ax_timer;
/* when is a point in time; the past means the next turn, never inside this call. AX_ENOMEM; AX_EBUSY while another loop has it. */
AX_API int ax_timer_start(ax_loop *loop, ax_timer *timer, ax_time when, ax_fn *fn, void *arg);
AX_API int ax_timer_stop(ax_timer *timer); /* 1, or 0 if it was not armed */
/* A background timer does not keep ax_loop_run going, however often it is started. */
AX_API void ax_timer_unref(ax_timer *timer);
#endif

#ifndef ASYNCX_FREESTANDING
/* ---- 13 File descriptors ------------------------------------------------------------------------------

   Descriptors must be non-blocking: ax_nonblocking (those of ax_accept are). One task waits per descriptor and direction, a second
   gets AX_EBUSY. Errors, hang-ups and closed descriptors wake both directions. (So does what stands in a socket's error queue, as
   by IP_RECVERR or MSG_ZEROCOPY, until you take it out.)

   On Windows they are sockets, each a SOCKET as an int, which holds all its values; nothing else can be waited for. No AX_PRI.
   Link with -lws2_32. */

/* Makes a descriptor non-blocking, and close-on-exec unless it is a standard stream. 0 or an error. (A terminal's streams share the
   flag, with the shell too: put it back in the end.) */
AX_API int ax_nonblocking(int fd);

enum { AX_IN = 1, AX_PRI = 2, AX_OUT = 4, AX_ERR = 8, AX_HUP = 16, AX_NVAL = 32 };

/* Calls fn on each turn in which the descriptor shows one of the events, or AX_ERR, AX_HUP, AX_NVAL. Level-triggered.
   Several per descriptor are allowed. Everything may be called inside any callback; a stop takes effect at once. Never closes the
   descriptor. */
typedef void ax_watch_fn(ax_loop *loop, unsigned events, void *arg);
typedef struct ax_watch {
    struct ax_watch *next; /* private, all of it */
    ax_loop *loop;
    ax_watch_fn *fn;
    void *arg;
    int fd;
    unsigned events, since;
    int active, background;
} ax_watch;
/* 0; AX_EBUSY if it is started; AX_EBADF, AX_ENOMEM. Events as AX_IN | AX_OUT; 0: not polled. (A number that the loop knows, and
   that was closed since, is no error here: the callback sees AX_NVAL, until it is stopped.) */
AX_API int ax_watch_start(ax_loop *loop, ax_watch *watch, int fd, unsigned events, ax_watch_fn *fn, void *arg);
AX_API int ax_watch_set(ax_watch *watch, unsigned events); /* changes the events. 0, or AX_EPERM if it is not started */
AX_API int ax_watch_stop(ax_watch *watch);                 /* 1, or 0 if it was not started */
AX_API void ax_watch_unref(ax_watch *watch);               /* it no longer keeps ax_loop_run going */

/* What waits on the descriptors of a loop, for desc.backend or ASYNCX_BACKEND: poll() is one, epoll and kqueue are, and one of
   yours may be (examples/select_backend.h). The loop knows who wants which events, and tells a backend each change before the next
   wait. All runs on the loop's thread; self is the backend's state for this loop. An error of set goes to the tasks that wait on
   that descriptor; its watches see AX_ERR, and nothing more until they are set anew. One of wait ends the run. None of the
   functions may be NULL. */
typedef struct ax_backend {
    size_t size;                                      /* of its state: memory that the loop provides, zeroed */
    int lazy;                                         /* set costs a system call: a descriptor that nobody waits on any more is left
                                                         until it shows an event, or is waited on again */
    int (*open)(ax_loop *loop, void *self);           /* 0 or an error */
    void (*close)(ax_loop *loop, void *self);         /* not after an open that failed */
    int (*reserve)(ax_loop *loop, void *self, unsigned fds); /* takes what memory descriptors below fds may need: 0 or an error */
    /* From now on this descriptor is waited on for these events (AX_IN, AX_OUT, AX_PRI; 0: not at all), so far for `before`. It may
       have been closed and come anew in between. 0 or an error; AX_EBADF if it is not open. */
    int (*set)(ax_loop *loop, void *self, int fd, unsigned before, unsigned events);
    /* Waits until descriptors are ready, a signal comes, or the time is over (0: only looks; AX_FOREVER): never returns early for
       the time. Calls ax_fd_ready for each descriptor that is ready, once; it may leave some to the next wait. 0 or an error. */
    int (*wait)(ax_loop *loop, void *self, ax_time timeout);
} ax_backend;
AX_API void ax_fd_ready(ax_loop *loop, int fd, unsigned events); /* for backends only */

/* Waits for AX_IN or AX_OUT (one of them, else AX_EINVAL): the events that came, perhaps with AX_ERR and AX_HUP. AX_EBUSY,
   AX_EBADF. Always suspends. */
AX_API AX_MUST_USE ax_op ax_wait_fd(ax_task *me, int fd, unsigned events);
/* Reads what there is: the count, from 1 to size (and INT_MAX); 0 at the end, or for a size of 0. The buffer must outlive the
   wait. May suspend. */
AX_API AX_MUST_USE ax_op ax_read(ax_task *me, int fd, void *buffer, size_t size);
/* Writes as much as fits at once: the count. AX_EPIPE if the other end is gone (AX_ECONNRESET: it is told that for the first time),
   without SIGPIPE. After a cancel nothing has been written. May suspend. */
AX_API AX_MUST_USE ax_op ax_write(ax_task *me, int fd, const void *buffer, size_t size);
/* Writes everything: 0. After an error or a cancel a part may have been written. May suspend. */
AX_API AX_MUST_USE ax_op ax_write_all(ax_task *me, int fd, const void *buffer, size_t size);
/* The same for `count` buffers, together where the system can. The array (in the frame) is used up: an entry that is written has
   the length 0. May suspend. */
#ifdef _WIN32
struct iovec {
    void *iov_base;
    size_t iov_len;
};
#else
struct iovec;
#endif
AX_API AX_MUST_USE ax_op ax_writev(ax_task *me, int fd, struct iovec *buffers, int count);
/* To be called before a descriptor is closed otherwise than by ax_close: its waiters get AX_EBADF, its watches are stopped. Without
   it, epoll and kqueue may not hear that a number is another descriptor's by now, and wait in vain. (shutdown() ends the waits of
   that direction by itself.) */
AX_API void ax_fd_closing(ax_loop *loop, int fd);
/* Does that and closes: 0 or an error; the descriptor is gone either way. A connection with input
   that was not read is reset by that, and the other end may lose what was sent last: shutdown(fd, SHUT_WR), and read to the end
   before. */
AX_API int ax_close(ax_loop *loop, int fd);

/* ---- 14 Sockets ---------------------------------------------------------------------------------------

   Plain descriptors: what is opened here is non-blocking, close-on-exec, above 2, and yours to ax_close; shutdown() ends one
   direction. For streams TCP_NODELAY is set (what ax_accept gives has it from its listener). */

/* An address of any family. */
typedef struct ax_addr {
    unsigned size; /* of what follows: a struct sockaddr; 0: none */
    union {
        unsigned char bytes[128];
        uint64_t align;
    } sockaddr;
} ax_addr;
/* Looks up the addresses of a host and port, in the system's order: how many, from 1 to most (and 16). A name is looked up on a
   thread (see ax_to_thread), which it keeps after a time limit or a cancel, until the C library answers: with many names set
   desc.threads above what is looked up at a time. A number needs none; NULL is this machine. AX_ENOENT if there is no such name;
   AX_EAGAIN if that can't be told now. host and addrs must outlive the wait. May suspend. */
AX_API AX_MUST_USE ax_op ax_resolve(ax_task *me, const char *host, int port, ax_addr *addrs, int most);
/* "127.0.0.1:80", "[::1]:80" or a path, "?" for a socket without a name; at most AX_ADDR_TEXT bytes. Gives text back. */
AX_API char *ax_addr_text(const ax_addr *addr, char *text, size_t size);
enum { AX_ADDR_TEXT = 112 };
AX_API int ax_addr_port(const ax_addr *addr); /* 0 if it has none */
/* The addresses of a socket: its own (which port did 0 become?), and the one it is connected to. 0 or an error. */
AX_API int ax_addr_local(int fd, ax_addr *addr);
AX_API int ax_addr_peer(int fd, ax_addr *addr);

/* A listening socket: its descriptor, or an error such as AX_EADDRINUSE. host: an address; NULL for all of this machine's, IPv6 and
   IPv4; or a name, whose first usable address is taken (that blocks). Port 0: any that is free. */
AX_API int ax_tcp_listen(const char *host, int port, unsigned flags);
/* Several sockets share the port, and the system deals connections out: one per loop and thread. A second process of the same user
   may then bind it, too. */
enum { AX_REUSE_PORT = 1 };
/* The same on a path, whose file is made, and stays: unlink() it in the end. One that is left over from a process that is gone is
   replaced (not on Windows, nor safely by processes that start at the same time); one that listens still sees a connection that
   ends at once. AX_ENAMETOOLONG. */
AX_API int ax_unix_listen(const char *path);
/* A stream socket that may be connected to this address: its descriptor, or an error. */
AX_API int ax_tcp_open(const ax_addr *to);
/* A socket for datagrams, bound as above. */
AX_API int ax_udp_open(const char *host, int port, unsigned flags);

/* The next connection: its descriptor, and its peer's address (or NULL). Connections that died in the queue are passed over. Out of
   descriptors or memory it says so to the report hook, once until one is accepted, and tries again when ax_close has freed one, at
   the latest after 100 ms. May suspend. */
AX_API AX_MUST_USE ax_op ax_accept(ax_task *me, int fd, ax_addr *peer);
/* Connects a socket: 0, or an error such as AX_ECONNREFUSED. After a cancel close it. May suspend. To an address that is known:
   AX_CHECK(my->fd = ax_tcp_open(&my->addr)); AX_AWAIT(ax_connect(me, my->fd, &my->addr)); */
AX_API AX_MUST_USE ax_op ax_connect(ax_task *me, int fd, const ax_addr *addr);
/* A connection to a host: its descriptor. All its addresses are tried, IPv6 and IPv4 by turns, each 250 ms after the one before or
   once that has failed; the first that answers is it (RFC 8305). An error of ax_resolve, or the last attempt's. The host must
   outlive the wait. May suspend; bound it with AX_WITHIN. */
AX_API AX_MUST_USE ax_op ax_tcp_connect(ax_task *me, const char *host, int port);
/* A socket for datagrams that is connected to a host's first address: its descriptor, for ax_write, and for ax_recvfrom with NULL
   (ax_read cuts what is longer than the buffer, and says nothing). The host must outlive the wait. May suspend. */
AX_API AX_MUST_USE ax_op ax_udp_connect(ax_task *me, const char *host, int port);
/* A connection to a server on a path, which must outlive the wait: its descriptor. Waits while the server's queue is full. May
   suspend. */
AX_API AX_MUST_USE ax_op ax_unix_connect(ax_task *me, const char *path);
/* The next datagram: its size, which may be 0 (not for AX_WHILE), and where it came from (or NULL). AX_EOVERFLOW if it was longer:
   the buffer has its beginning, the rest is lost. Also an error of what was sent before, such as AX_ECONNREFUSED. Both must outlive
   the wait. May suspend. */
AX_API AX_MUST_USE ax_op ax_recvfrom(ax_task *me, int fd, void *buffer, size_t size, ax_addr *from);
/* Sends a datagram, to NULL on a connected socket: its size. -ENOBUFS if the queue of that UNIX socket is full. On a connected
   socket also an error of what was sent before, such as AX_ECONNREFUSED: then this one is not sent, and may be tried once more.
   Both must outlive the wait. May suspend. */
AX_API AX_MUST_USE ax_op ax_sendto(ax_task *me, int fd, const void *buffer, size_t size, const ax_addr *to);

/* A ready-made server: accepts, and serves each connection in a task of its own, which closes it in the end.

     static ax_op serve(ax_task *me, int fd, const ax_addr *peer, void *app) { return AX_CALL(client, .fd = fd, .app = app); }

     AX_CHECK(ax_tcp_listen(NULL, 8080, 0));
     AX_AWAIT(AX_CALL(ax_server, .fd = me->rc, .serve = serve, .max_clients = 1000, .grace = AX_SEC(5), .arg = my));

   It runs until it is cancelled (by Ctrl-C, in main). Then it accepts no more; those that are served may end what they do within
   the grace time (0: none), and are cancelled when that is over, or when the server is cancelled again. It ends when all have, with
   AX_ECANCELED; or with an error of ax_accept. A connection that fails does not concern the others. fd and peer are good until the
   op that serve gives has ended; ax_close of fd is AX_EPERM there. May suspend. */
struct axi_accepting { /* private */
    ax_frame frame;
    struct ax_server *server;
    ax_addr peer;
};
struct ax_server {
    ax_frame frame;
    int fd; /* listening; the server's from now on: it closes it */
    ax_op (*serve)(ax_task *me, int fd, const ax_addr *peer, void *arg);
    void *arg;
    int max_clients; /* at a time, the next wait unaccepted; 0: any number, which serve may count, and refuse */
    int end_input; /* 1: with the grace time the clients' input ends, so that idle ones go at once (Windows may not wake them); also
                      in the middle of a request, or of a line, which then is the last one (see ax_reader_line) */
    ax_time grace; /* 0: none; AX_EINVAL for less than a microsecond */
    void (*ending)(void *arg); /* if it is set: called as the grace time begins, to tell idle clients, say by an event */
    void (*ended)(int status, const ax_addr *peer, void *arg); /* if it is set: hears how each connection ended, as for a log */
    ax_group clients; /* private from here */
    ax_sem places;
    struct axi_accepting accepting;
};

/* Reads a stream item by item through a buffer of yours: AX_WHILE(ax_reader_line(me, &my->in)) puts(my->in.data); 1 and an item, 0
   at the end of the stream. An item is in data and length until the next call, and yours to change. Nothing is lost by a cancel or
   a time limit: what has come is there for the next call, as it is for ax_reader_some after an AX_EOVERFLOW. For one task at a
   time. */
typedef struct ax_reader {
    char *data; /* public, read-only: the item, in the buffer, */
    size_t length;
    int fd;     /* private from here */
    char *buffer;
    size_t size, start, end, seen; /* of the buffer; what is in it; how much of that was searched in vain */
    const char *until;             /* what ends the item; NULL: nothing, it has that size at least */
    size_t until_size;
    int how;
} ax_reader;
/* An item and its end take at most size bytes, a last line that has none one less. 0, or AX_EINVAL for a size below 2. The
   descriptor stays yours. */
AX_API int ax_reader_init(ax_reader *reader, int fd, void *buffer, size_t size);
/* The next line, without its "\n" or "\r\n", as a string; the last one needs no end. (So it may be half of one that was cut short:
   where that must not be taken for a command, ax_reader_until(me, &in, "\n", 1) gives AX_EPIPE for it.) AX_EOVERFLOW if it does
   not fit the buffer, each time until ax_reader_some has taken what is there; then the rest of it is the next line: mostly there
   is nothing left but to close. May suspend. */
AX_API AX_MUST_USE ax_op ax_reader_line(ax_task *me, ax_reader *reader);
/* What comes before these bytes, which are taken too; as a string. AX_EPIPE if the stream ends before them: what came is there for
   ax_reader_some. AX_EOVERFLOW; AX_EINVAL for no bytes, or more than the buffer holds. They must outlive the wait. May suspend. */
AX_API AX_MUST_USE ax_op ax_reader_until(ax_task *me, ax_reader *reader, const void *bytes, size_t size);
/* Whatever is there, at least a byte. May suspend. */
AX_API AX_MUST_USE ax_op ax_reader_some(ax_task *me, ax_reader *reader);
/* The same, but at least `size` bytes, and they stay for the next call: to wait until a request begins, then for the rest of it
   with another limit, or to see of which kind it is. AX_EPIPE if the stream ends amid them; AX_EINVAL for none, or more than the
   buffer holds. May suspend. */
AX_API AX_MUST_USE ax_op ax_reader_peek(ax_task *me, ax_reader *reader, size_t size);
/* Exactly `size` bytes to a place of yours (NULL: they are dropped), of any size, the larger part read there directly: 1, or 0 if
   the stream ends before them. AX_EPIPE if it ends amid them; then, and after a cancel, length of them are there. The place must
   outlive the wait. May suspend. */
AX_API AX_MUST_USE ax_op ax_reader_exactly(ax_task *me, ax_reader *reader, void *to, size_t size);

/* Collects what is written to a stream in a buffer of yours, which goes out when it is more than half full, or at
   ax_writer_flush: nothing else sends it. One that the other end does not read holds its writer up. For one task at a time, else
   AX_EBUSY once the other has to wait: tasks that share it hold an ax_mutex for a whole message. */
typedef struct ax_writer {
    size_t count; /* public, read-only: bytes that have not gone out */
    int fd;       /* private from here */
    char *buffer;
    size_t size, start, most; /* of the buffer; where it begins; what may stay in it at the end of the operation */
} ax_writer;
/* AX_EINVAL for a size of 0. The descriptor stays yours: flush, then close it. */
AX_API int ax_writer_init(ax_writer *writer, int fd, void *buffer, size_t size);
/* Writes everything to the buffer: 0. What does not fit must outlive the wait. An error, also of what was written before: AX_EPIPE
   and the like. After a cancel a part of it may have gone, or be in the buffer: mostly there is nothing
   left but to close. May suspend. */
AX_API AX_MUST_USE ax_op ax_writer_write(ax_task *me, ax_writer *writer, const void *data, size_t size);
/* The same for a text shorter than half the buffer. AX_EOVERFLOW for a longer one, AX_EAGAIN if the buffer is full of what an
   operation that was cut short has left: then nothing of it is written. After a cancel all of it is in the buffer, or nothing. May
   suspend. */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
AX_API AX_MUST_USE ax_op ax_writer_printf(ax_task *me, ax_writer *writer, const char *format, ...);
/* Sends all that is in the buffer: 0. May suspend. */
AX_API AX_MUST_USE ax_op ax_writer_flush(ax_task *me, ax_writer *writer);

/* ---- 15 Threads and signals ---------------------------------------------------------------------------

   A job is a plain function that runs on another thread, on a copy of its data. It tells of its progress by ax_post. What it points
   to must outlive it, also when its wait is cancelled and it runs on. Its thread blocks all signals, and a program that it starts
   inherits that: posix_spawnattr_setsigmask. The child of a fork() must not touch a loop: it execs or calls _exit. */

/* Runs fn(copy) on a thread of the loop's pool (desc.threads at most, started when needed) and gives its status. data points to
   size bytes that are copied to the job, and back when it is done. If the wait is cancelled, a queued job is dropped, and a running
   one is abandoned: it ends unheard, and its copy is freed then. What it has opened or allocated is lost: such a job is run by
   ax_executor_run(me, NULL, fn, ax_stay, data, size), which waits on. AX_ENOMEM; AX_EAGAIN if desc.jobs of them are queued, or no
   thread can be started. May suspend. */
AX_API AX_MUST_USE ax_op ax_to_thread(ax_task *me, int (*fn)(void *copy), void *data, size_t size);

/* A pool of threads of your own: with one thread, jobs run one after the other, in order of the calls. */
typedef struct ax_executor {
    struct axi_pool *pool; /* private */
} ax_executor;
/* At most this many threads (1 to 65,535, else AX_EINVAL), and this many jobs queued (0: any number). 0 or AX_ENOMEM. For the tasks
   of this loop, which waits for it at its close. */
AX_API int ax_executor_open(ax_loop *loop, ax_executor *executor, unsigned threads, unsigned jobs);
/* As ax_to_thread, there; executor NULL: on the loop's threads. If the wait is cancelled while the job runs, cancel(copy) is called
   on the loop's thread, to tell the job to stop: 0, the job is abandoned; AX_STAY, the wait goes on until the job ends (so that it
   may point to what you own). NULL: abandoned. Both see the same copy, so what they share must be atomic. AX_EPIPE once the
   executor is closed. May suspend. */
AX_API AX_MUST_USE ax_op ax_executor_run(ax_task *me, ax_executor *executor, int (*fn)(void *copy), int (*cancel)(void *copy),
                                         void *data, size_t size);
/* A cancel for ax_executor_run that only waits: AX_STAY. For what opens or allocates something, which would be lost with an
   abandoned job. */
AX_API int ax_stay(void *copy);
/* Takes no more jobs, and waits until all have ended and the threads with them: 0. Goes on even if the wait is cancelled: AX_WITHIN
   bounds it. Only the first call waits: a second gives 0 at once. May suspend. */
AX_API AX_MUST_USE ax_op ax_executor_close(ax_task *me, ax_executor *executor);

/* From now on, until the loop closes, this signal only wakes those who wait for it; one that comes while nobody waits is kept for
   the next wait. The loop's thread does not block it meanwhile; while others run there, the loop must not move to another thread.
   Start processes with posix_spawn (examples/asyncx_process.h): between fork and exec the handlers, here and of AX_RUN, would
   swallow a signal to the child. Only one loop of the process catches signals, the one that catches Ctrl-C if there is one:
   AX_EBUSY for another, and for what a run around this one has caught so. (Those that wait there hear of it when the run inside is
   over.) AX_EINVAL for what is no signal or can't be caught. AX_ENOMEM. (Windows sends SIGINT and SIGBREAK.) */
AX_API int ax_signal_catch(ax_loop *loop, int number);
/* Waits for the next signal of that number, and catches it if nothing did: gives the number. Every waiter is woken. May suspend.
   Children: AX_CHECK(ax_signal_catch(me->loop, SIGCHLD)) before they are started, then
   while (waitpid(my->pid, &my->how, WNOHANG) == 0) AX_AWAIT(ax_signal_wait(me, SIGCHLD)); */
AX_API AX_MUST_USE ax_op ax_signal_wait(ax_task *me, int number);

#endif /* ASYNCX_FREESTANDING */

/* ---- 16 Running a program ----------------------------------------------------------------------------- */

/* AX_RUN(fn, .a = 1): opens a loop, runs fn as the main task, then cancels and awaits what is left, and closes the loop. fn's
   status; AX_EINTR if Ctrl-C or SIGTERM ended it; AX_EDEADLK if everything waits and nothing can wake it; or what ax_loop_open
   gives. AX_RUN_WITH(&desc, fn, .a = 1) takes a desc, and copies it; a literal in its place needs parentheses, as it has commas.
   (Freestanding it is always a statement expression; other compilers open, spawn and run. With ASYNCX_NO_CANCEL what is left
   stays where it is: its storage, and what it waits for, are not to be used again.) */
#define AX_RUN(...) AX_RUN_WITH(NULL, __VA_ARGS__)
#define AX_RUN_WITH(desc, ...) AXI_RUN(desc, AXI_HEAD(__VA_ARGS__, ~), __VA_ARGS__)
#ifndef ASYNCX_FREESTANDING
/* A status as a process exit code: 0 to 125 as it is (success is AX_END or AX_RETURN(0), not a count), above that 1; AX_EINTR 130
   (SIGTERM: 143; for a server that is meant to end so: ax_exit(status == AX_EINTR ? 0 : status)); any other error 1, with its name,
   text and origin on stderr. The first misuse that was reported during the run is printed too, and turns 0 into 1. */
AX_API int ax_exit(int status);
#endif

#ifdef ASYNCX_FREESTANDING
/* ---- 17 Microcontrollers ------------------------------------------------------------------------------

   With ASYNCX_FREESTANDING the header needs five functions of yours, the port; they may be macros, defined before it is included.

     ax_time ax_port_now(void)         the tick: counts up at ASYNCX_TICK_HZ, wraps around with ax_time. Keep interrupts out
                                       yourself where it takes more than one load: it is called unlocked, but by a guest
                                       that sleeps, who has locked (see below)
     void ax_port_lock(void)           keeps interrupts out (nothing, where ax_port_idle remembers a wake that came before it); is
     void ax_port_unlock(void)         never called twice in a row
     void ax_port_idle(ax_time until)  sleeps until an interrupt comes, at the latest until the tick is `until`; at once if that has
                                       passed. AX_FOREVER: no deadline. It may return early: the loop looks, and idles again
     void ax_port_wake(void)           a flag was set, in an interrupt or by a task: nothing to do where an interrupt ends the
                                       sleep; with an operating system, what ends ax_port_idle

   The last test and the sleep. The loop locks, looks whether a flag was set, calls ax_port_idle if not, and unlocks. ax_port_idle
   is called locked and returns locked, and it has to let an interrupt end the sleep that comes between that test and the sleep: by
   `wfi`, which ends on a pending interrupt even while PRIMASK or mstatus.MIE keeps it out (Cortex-M, RISC-V); by `sei; sleep; cli`,
   since AVR runs one more instruction after `sei` before any interrupt; by a notification that is kept (an operating system).
   A guest that sleeps by itself after ax_run_once does the same: lock, ask ax_next_deadline, sleep until then, unlock.

   From an interrupt, another thread or a signal handler only ax_flag_set and ax_ring_put may be called, on the same core, and each
   flag and ring from one of them: they write bytes that nobody else writes, so they need no lock and no memory, and can't fail but
   for a full ring. A tick that an interrupt has noted (ax_port_now) may be AX_FOREVER by chance: a task takes it as
   ax_later(tick, 0). To send, a task starts a byte and waits for the flag that its interrupt sets:
   ax_flag_take(&sent); UART_DATA = byte; AX_AWAIT(AX_WITHIN(AX_MS(10), ax_flag_wait(me, &sent))); */

#ifndef ax_port_now
ax_time ax_port_now(void);
#endif
#ifndef ax_port_lock
void ax_port_lock(void);
#endif
#ifndef ax_port_unlock
void ax_port_unlock(void);
#endif
#ifndef ax_port_idle
void ax_port_idle(ax_time until);
#endif
#ifndef ax_port_wake
void ax_port_wake(void);
#endif

/* What an interrupt tells a task: that something came, and how often. {0} is a fresh one. To tell a value, write it to a volatile
   of yours, then set the flag; the task reads it whole, with interrupts off where that takes more than one load. */
typedef struct ax_flag {
    volatile unsigned char set, seen;  /* private, all of it: counted up by the interrupt, and followed by the task */
    ax_task *waiter;
    int (*take)(struct ax_flag *flag); /* what the waiter wants of it */
    struct ax_flag *next;
} ax_flag;
/* In the interrupt. Once set 255 times and not waited for, it stays at that. */
AXI_INLINE void ax_flag_set(ax_flag *flag) {
    unsigned char set = (unsigned char)(flag->set + 1);
    if (set != flag->seen) flag->set = set;
    ax_port_wake();
}
/* How often it was set since it was last taken: 0 to 255. */
AX_API int ax_flag_take(ax_flag *flag);
/* Waits until it is set: how often, 1 to 255. AX_EBUSY if another task waits. May suspend. */
AX_API AX_MUST_USE ax_op ax_flag_wait(ax_task *me, ax_flag *flag);

/* Bytes from an interrupt to a task. */
typedef struct ax_ring {
    ax_flag flag; /* private, all of it */
    volatile unsigned char *buffer;
    unsigned char mask;
    volatile unsigned char head, tail; /* written by the interrupt, by the task */
    volatile unsigned char lost;       /* set by the interrupt, cleared by the task: while it is set the interrupt writes nothing */
    unsigned char size;                /* the reader's buffer */
    unsigned char *to;
} ax_ring;
/* ax_ring rx = AX_RING_INIT(array); the array of 2, 4, 8 ... 256 bytes, else it does not compile; the ring holds one less. */
#define AX_RING_INIT(array) {{0, 0, NULL, NULL, NULL}, (array), AXI_RING_MASK(sizeof(array)), 0, 0, 0, 0, NULL}
#define AXI_RING_MASK(size) \
    ((unsigned char)((size) - sizeof(char[(size) > 1 && (size) <= 256 && ((size) & ((size) - 1)) == 0 ? 1 : -1])))
/* In the interrupt. 0, or AX_EAGAIN if it is full: this byte and all after it are lost until the reader has heard of it. */
AXI_INLINE int ax_ring_put(ax_ring *ring, unsigned char byte) {
    unsigned char head = ring->head, next = (unsigned char)((head + 1) & ring->mask);
    int full = next == ring->tail;
    if (ring->lost) return AX_EAGAIN;
    if (full) {
        ring->lost = 1;
    } else {
        ring->buffer[head] = byte;
        ring->head = next;
    }
    ax_flag_set(&ring->flag); /* of a loss too: for a thread, the reader may have emptied the ring meanwhile */
    return full ? AX_EAGAIN : 0;
}
/* Takes what there is, at least a byte, at most size and 255: the count. AX_EOVERFLOW, once, where bytes were lost: after those
   that came before them. AX_EINVAL for a size of 0, AX_EBUSY if another task waits. The buffer must outlive the wait. May
   suspend. */
AX_API AX_MUST_USE ax_op ax_ring_read(ax_task *me, ax_ring *ring, void *buffer, size_t size);
AX_API int ax_ring_try_read(ax_ring *ring, void *buffer, size_t size); /* the same; AX_EAGAIN if there is nothing */
#endif

/* ---- Private: the loop ---------------------------------------------------------------------------------- */

#ifndef ASYNCX_FREESTANDING
struct axi_timer {
    ax_time when;
    axi_node *node;
};
struct axi_origin { /* where an error was first met */
    int status, line;
    const char *name, *file;
};

enum { AXI_POOLS = 128 };

struct ax_loop {
    ax_group root; /* public: callbacks spawn here, AX_SPAWN(&loop->root, ...) */
    int signalled; /* public, read-only: SIGINT or SIGTERM, once it has cancelled main, until that is taken back */
    ax_loop_desc desc; /* private from here */
    ax_time now;
    axi_list ready;      /* its first is always the link below: pushing and popping need not ask whether it is empty */
    axi_link end;
    axi_link *turn_last; /* the last of what was ready when this turn began */
    axi_link *running;   /* if a callback runs, that one */
    ax_frame *stepping;  /* in debug builds: the body that runs */
    ax_callback nobody;  /* stands in the queue for one that was stopped */
    axi_list aborts, closers;
    struct axi_timer *timers;
    ax_time horizon;     /* the timers due up to here are the heap: */
    unsigned heaped, heaped_most; /* so many, and so many at most */
    unsigned fired;      /* timers since the last wait */
    int unfinished;      /* an operation has stopped only to let others have a turn, since the last look at the descriptors */
    int hears;           /* a signal came for it */
    int woken;           /* the wake-up pipe may have been written to since the last look: a host would see it again and again */
    int alone;           /* the ready queue: no timer, no descriptor but the wake-up pipe, no stop; until one of them comes */
    unsigned timer_count, timer_cap, timer_need, next_seq;
    unsigned tasks, holds, for_ever, alive;
    ax_task *main;
    int state, stop, aborting;
    size_t used, peak;
    int pooled;      /* small blocks come from here: there is no allocator of the user's */
    void *pool[AXI_POOLS]; /* free blocks by size, 8 bytes apart; then by powers of two */
    void *big[32];
    unsigned char *chunk, *chunk_end;
    void *chunks;
    struct axi_fd *fds;
    unsigned fd_cap, polls;
    unsigned wanted;     /* descriptors that anybody waits on, but for the wake-up pipe */
    int *dirty;          /* descriptors whose interest may have changed */
    unsigned dirty_cap, dirty_count;
    ax_callback *posted, **posted_end;
    int takes_posts; /* written under the lock of posts only */
    const struct axi_generators *generators;  /* set by who opens one, so that what is not used is not linked */
    void *sys; /* the backend's and the threads' own state */
    uintptr_t thread;
    uintptr_t stack; /* where it runs; 0: it does not */
    ax_loop *outer;  /* which runs around it */
    struct axi_origin origin;
};
#else
struct axi_gap;
struct ax_flag;
struct ax_loop {
    ax_group root; /* public: AX_SPAWN_IN(&loop->root, ...) */
    ax_time now;   /* private from here */
    axi_list ready;
    axi_link *turn_last; /* the last of what was ready when this turn began */
    axi_link timers;     /* in order of their deadlines; leads back to here */
    struct ax_flag *flags; /* those that tasks wait for */
    int (*came)(ax_loop *loop, int take); /* looks at them; set by the first wait, so that what is not used is not linked */
#if !AXI_CANCEL
    unsigned tasks; /* else root.children says whether there are any */
#endif
    unsigned char state, stop, aborting;
    struct axi_gap *gaps; /* of the arena */
    size_t used, peak;
    void (*give_back)(ax_loop *loop, void *p, size_t size); /* frees; set by the first allocation, for the same reason */
#if AXI_CANCEL
    unsigned alive;
    axi_list aborts, closers;
#endif
#if AXI_GENERATORS
    const struct axi_generators *generators; /* set by who opens one, so that what is not used is not linked */
#endif
#if ASYNCX_DEBUG
    uintptr_t stack;
#endif
};
#endif

/* ---- The macros of 3, 5, 8 and 16: what they expand to ---------------------------------------------------- */

#ifndef ASYNCX_FREESTANDING
#define AX_SEC(s) AXI_NS(s, 1e9)
#define AX_MS(ms) AXI_NS(ms, 1e6)
#define AX_US(us) AXI_NS(us, 1e3)
#if defined(__GNUC__) && !defined(__TINYC__) /* others take it for no constant */
#define AXI_NS(n, each) (AXI_CONST(n) ? AXI_FIT((double)(n) * (each)) : axi_ns((double)(n) * (each)))
#else
#define AXI_NS(n, each) ((ax_time)((double)(n) * (each)))
#endif
#define AXI_FIT(ns) ((ns) < 9.2e18 ? (ns) > -9.2e18 ? (ax_time)(ns) : -AX_FOREVER : AX_FOREVER - 1)
AXI_INLINE ax_time axi_ns(double ns) { return AXI_FIT(ns); }
#else
#if defined(__GNUC__)
#define AXI_FRACTION(n) ((__typeof__((n) + 0))0.999) /* 0 for an integer */
#else
#define AXI_FRACTION(n) 0
#endif
#define AXI_ROUND_UP(n, rate, per) (((n) * (rate) + ((per) - 1) + AXI_FRACTION(n)) / (per))
/* One that is too long stays too long. */
#define AXI_FIT(x) ((x) < AX_FOREVER ? (int64_t)(x) > -AX_FOREVER ? (ax_time)(x) : -AX_FOREVER : AX_FOREVER - 1)
#if ASYNCX_TIME_BITS == 64
typedef int64_t axi_wide;
typedef uint64_t axi_unsigned;
#define AXI_MOST INT64_MAX
#else
typedef int32_t axi_wide;
typedef uint32_t axi_unsigned;
#define AXI_MOST INT32_MAX
#endif
/* n * rate / rest of a variable; the last two are constants, so that the division by rate is none. */
AXI_INLINE ax_time axi_scale(axi_wide n, axi_wide rate, axi_wide rest) {
    if (n <= 0) return n < -AX_FOREVER ? -AX_FOREVER : (ax_time)n; /* no time at all */
    if (rest != 1) return n > INT64_MAX / rate - rest ? AX_FOREVER - 1 : AXI_FIT(((int64_t)n * rate + rest - 1) / rest);
    return n > AX_FOREVER / rate ? AX_FOREVER - 1 : AXI_FIT(n * rate);
}
AXI_INLINE axi_wide axi_from_unsigned(axi_unsigned n) { return n > AXI_MOST ? AXI_MOST : (axi_wide)n; }
AXI_INLINE axi_wide axi_from_far(uint64_t n, int is_signed) {
    if (n <= AXI_MOST) return (axi_wide)n;
    return is_signed && n > INT64_MAX ? (int64_t)n < -AXI_MOST ? -AXI_MOST : (axi_wide)(int64_t)n : AXI_MOST;
}
AXI_INLINE ax_time axi_from_real(double x) {
    return x < (double)AX_FOREVER ? x > -(double)AX_FOREVER ? (ax_time)x : -AX_FOREVER : AX_FOREVER - 1;
}
#if defined(__GNUC__)
#define AXI_SIGNED(n) ((__typeof__((n) + 0))-1 < 1)
#define AXI_WIDE(n)                                                                      \
    (sizeof((n) + 0) > sizeof(axi_wide) ? axi_from_far((uint64_t)(n), AXI_SIGNED(n))     \
     : AXI_SIGNED(n)                    ? (axi_wide)(n)                                  \
                                        : axi_from_unsigned((axi_unsigned)(n)))
#define AXI_SCALE(n, rate, rest) \
    (AXI_FRACTION(n) > 0 ? axi_from_real((double)AXI_ROUND_UP(n, rate, rest)) : axi_scale(AXI_WIDE(n), rate, rest))
#else
#define AXI_SCALE(n, rate, rest) ((ax_time)AXI_ROUND_UP(n, (axi_wide)(rate), rest))
#endif
/* n * HZ / per ticks, rounded up; evaluates n once if it is no constant. rate / rest is HZ / per, if possible without division. */
#define AXI_TICKS(n, per, rate, rest) \
    (AXI_CONST(n) ? AXI_FIT(AXI_ROUND_UP(n, (int64_t)ASYNCX_TICK_HZ, (int64_t)per)) : AXI_SCALE(n, rate, rest))
#define AX_SEC(s) AXI_TICKS(s, 1, ASYNCX_TICK_HZ, 1)
#if ASYNCX_TICK_HZ % 1000 == 0
#define AX_MS(ms) AXI_TICKS(ms, 1000, ASYNCX_TICK_HZ / 1000, 1)
#else
#define AX_MS(ms) AXI_TICKS(ms, 1000, ASYNCX_TICK_HZ, 1000)
#endif
#if ASYNCX_TICK_HZ % 1000000 == 0
#define AX_US(us) AXI_TICKS(us, 1000000, ASYNCX_TICK_HZ / 1000000, 1)
#else
#define AX_US(us) AXI_TICKS(us, 1000000, ASYNCX_TICK_HZ, 1000000)
#endif
#endif

/* What is no ax_time (an int, a double) and below a microsecond is a forgotten AX_SEC or AX_MS: these functions refuse what it
   becomes. (Not most products that happen to be so short: to the thousandth they are no round numbers.) */
#ifndef ASYNCX_FREESTANDING
AXI_INLINE ax_time axi_no_time(double time) {
    if (time > 0 && time < 1000) {
        double rest = time * 1000 - (double)(int)(time * 1000 + 0.5);
        if (rest < 1e-4 && rest > -1e-4) return INT64_MIN;
    }
    return axi_ns(time);
}
#ifdef __cplusplus
extern "C++" {
AXI_INLINE ax_time axi_duration(ax_time time) { return time; }
template <class T> AXI_INLINE ax_time axi_duration(T time) {
    return sizeof(time + 0) < sizeof(ax_time) || (decltype(time + 0))0.5 > 0 ? axi_no_time((double)time) : (ax_time)time;
}
}
#define AXI_DURATION(time) axi_duration(time)
#else
#define AXI_DURATION(time) (AXI_NO_TIME(time) ? axi_no_time((double)((time) + 0)) : (ax_time)((time) + 0))
#if defined(__GNUC__)
#define AXI_NO_TIME(time) (__extension__(sizeof((time) + 0) < sizeof(ax_time) || (__typeof__((time) + 0))0.5 > 0))
#else
#define AXI_NO_TIME(time) (sizeof((time) + 0) < sizeof(ax_time))
#endif
#endif
#define ax_sleep(me, time) ax_sleep((me), AXI_DURATION(time))
#define ax_timeout_open(me, limit, time) ax_timeout_open((me), (limit), AXI_DURATION(time))
#define ax_limiter_init(limiter, rate, period, burst) ax_limiter_init((limiter), (rate), AXI_DURATION(period), (burst))
#else
#define AXI_DURATION(time) (time)
#endif

#ifndef ASYNCX_FREESTANDING
#define AXI_NAME(text) (void)0
#define AXI_NAMED(text) , text, __FILE__
#elif AXI_FILES
#define AXI_NAME(text) static const char axi_name[] AXI_ROM = text, axi_file[] AXI_ROM = __FILE__
#define AXI_NAMED(text) , axi_name, axi_file
#elif ASYNCX_NAMES
#define AXI_NAME(text) static const char axi_name[] AXI_ROM = text
#define AXI_NAMED(text) , axi_name
#else
#define AXI_NAME(text) (void)0
#define AXI_NAMED(text)
#endif
/* The typed body stands behind a step of one type: calling a function through another type is undefined. */
#if defined(__cplusplus) && (defined(__GNUC__) || defined(_MSC_VER))
#define AXI_PLAIN(name) static_assert(__is_trivial(struct name), "the constructors and destructor of a frame never run");
#else
#define AXI_PLAIN(name)
#endif
#define AXI_ASYNC(name, linkage)                                                                      \
    typedef char name##_frame_must_be_first_member[offsetof(struct name, frame) == 0 ? 1 : -1];       \
    AXI_PLAIN(name)                                                                                   \
    AXI_KEEP_LABELS static AX_RETURN_is_missing name##_axi_body(ax_task *me, struct name *my);        \
    static AX_RETURN_is_missing name##_axi_step(ax_task *me, ax_frame *frame) {                       \
        return name##_axi_body(me, (struct name *)(void *)frame);                                     \
    }                                                                                                 \
    linkage const struct axi_fn *AXI_FN(name)(void) {                                                 \
        AXI_NAME(#name);                                                                              \
        static const struct axi_fn fn AXI_ROM = {name##_axi_step, sizeof(struct name) AXI_NAMED(#name)}; \
        return &fn;                                                                                   \
    }                                                                                                 \
    static AX_RETURN_is_missing name##_axi_body(ax_task *me, struct name *my)

#define AXI_CAT(a, b) AXI_CAT_(a, b)
#define AXI_CAT_(a, b) a##b
#ifdef __COUNTER__
#define AXI_COUNTER __COUNTER__ /* dense resume points, several on a line */
#else
#define AXI_COUNTER __LINE__
#endif
#if ASYNCX_TRACE
#define AXI_LINE (my->frame.line = __LINE__)
#define AXI_LINE_OF(f) ((f)->line)
#else
#define AXI_LINE ((void)0)
#define AXI_LINE_OF(f) 0
#endif
#if defined(__GNUC__)
#define AXI_PRAGMA(x) _Pragma(#x)
#else
#define AXI_PRAGMA(x)
#endif

/* Resume points. AXI_AT(n) notes that the frame continues at AXI_HERE(n). Every await returns to the loop and is resumed by
   a jump, done or not: a C local can't survive it by luck, and compilers see that. */
enum { AXI_AT_START, AXI_AT_FINALLY }; /* before all of those */
enum { /* node.bad: one byte, so that AX_AWAIT has one to test */
    AXI_FAILED = 1,    /* of a task that runs: its await gave an error, with which AX_AWAIT leaves */
    AXI_CANCELS = 2,   /* the same: its own cancellation, with which AX_TRY leaves too */
    AXI_HANDED_ON = 4, /* of a queued task: its result is the status of another, so it is not where an error came from */
    AXI_BY_USER = 8,   /* of a parked task: ax_wake may end this wait */
    AXI_UNHEARD = 1    /* of a task that has failed: nobody knows yet */
};
#ifdef ASYNCX_FREESTANDING
#define AXI_AT_OF(f) ((f)->entry.at)
#else
#define AXI_AT_OF(f) ((f)->at)
#endif
#ifdef ASYNCX_SWITCH
/* A body that is a macro's argument has its awaits numbered before AX_BEGIN: those count down from -2, past AXI_OVER. */
#define AXI_NUMBER(n) ((int)(n) - (int)AX_BEGIN_is_missing)
#define AXI_CASE(n) ((axi_point)(AXI_NUMBER(n) + (AXI_NUMBER(n) > 0 ? 2 : -1)))
#ifdef ASYNCX_FREESTANDING
#define AXI_AT(n)                                                                                       \
    AXI_LINE;                                                                                           \
    AXI_NEVER(AXI_NUMBER(n) > 230, too_many_awaits_in_one_function);                                    \
    AXI_AT_OF(&my->frame) = AXI_CASE(n)
#else
#define AXI_AT(n) (AXI_LINE, AXI_AT_OF(&my->frame) = AXI_CASE(n))
#endif
#define AXI_HERE(n) case AXI_CASE(n)
#define AXI_RESUME (void)0
#define AXI_START case AXI_AT_START
#define AXI_ELSE AXI_RETURN(axi_lost(me))
#else
#define AXI_AT(n) (AXI_LINE, (void)AX_BEGIN_is_missing, AXI_AT_OF(&my->frame) = (axi_point)(__extension__ && AXI_HERE(n)))
#define AXI_HERE(n) AXI_CAT(axi_at_, n)
#define AXI_RESUME                                                                                  \
    AXI_PRAGMA(GCC diagnostic push) AXI_PRAGMA(GCC diagnostic ignored "-Wpedantic")                 \
    (void)sizeof(&&axi_start); /* clang wants one where there is no await */                        \
    if (AXI_AT_OF(&my->frame) > AXI_AT_FINALLY) goto *(void *)AXI_AT_OF(&my->frame);                \
    AXI_PRAGMA(GCC diagnostic pop)
#define AXI_START case AXI_AT_START: axi_start
#define AXI_ELSE AXI_RETURN(axi_op(AXI_ENDED)) /* there is no AX_FINALLY */
#endif

enum { axi_in_finally = 0 }; /* 1 in the scope of AX_FINALLY */
#ifdef __cplusplus
#define AXI_CONSTANT(name, value) const int name = (value)
#define AXI_NEVER(x, why) static_assert(!(x), #why)
#else
#define AXI_CONSTANT(name, value) enum { name = (value) }
#define AXI_NEVER(x, why) ((void)sizeof(struct { unsigned why : (x) ? -1 : 1; }))
#endif

AXI_INLINE AX_RETURN_is_missing axi_step(ax_op op) {
    AX_RETURN_is_missing step;
    step.axi = op.axi;
    return step;
}
#define AXI_RETURN(op) return axi_step(op)

#define AX_BEGIN                                                                                    \
    AXI_PRAGMA(GCC diagnostic push) AXI_PRAGMA(GCC diagnostic error "-Wreturn-type")                \
    AXI_CONSTANT(AX_BEGIN_is_missing, AXI_COUNTER);                                                 \
    (void)AX_BEGIN_is_missing;                                                                      \
    AXI_RESUME;                                                                                     \
    switch (AXI_AT_OF(&my->frame)) {                                                                \
    default: AXI_ELSE;                                                                              \
    AXI_START: (void)0
#define AX_FINALLY                                                                                  \
    AXI_RETURN(axi_return(me, 0));                                                                  \
    AXI_PRAGMA(GCC diagnostic push) AXI_PRAGMA(GCC diagnostic ignored "-Wshadow")                   \
    enum { axi_in_finally = 1 };                                                                    \
    AXI_PRAGMA(GCC diagnostic pop)                                                                  \
    case AXI_AT_FINALLY
#define AX_END                                                                                      \
        (void)0; /* after AX_FINALLY: with nothing to do */                                         \
    }                                                                                               \
    AXI_PRAGMA(GCC diagnostic pop)                                                                  \
    AXI_RETURN(axi_end(me))
#define AX_RETURN(status)                                                                           \
    do {                                                                                            \
        AXI_NEVER(axi_in_finally, AX_RETURN_is_refused_in_AX_FINALLY);                              \
        AXI_LINE;                                                                                   \
        AXI_RETURN(axi_return(me, (status)));                                                       \
    } while (0)

#define AX_AWAIT(op) AXI_AWAIT(op, me->node.bad, AXI_COUNTER)
#define AX_TRY(op) AXI_AWAIT(op, me->node.bad > AXI_FAILED, AXI_COUNTER)
#define AX_TRY_ALL(op) AXI_AWAIT(op, 0, AXI_COUNTER)
#define AX_CHECK(status)                                                                            \
    do {                                                                                            \
        AXI_LINE;                                                                                   \
        if ((me->rc = (status)) < 0 && !axi_in_finally) AXI_RETURN(axi_check(me));                  \
    } while (0)
#define AXI_AWAIT(op, leave, n)                                                                     \
    do {                                                                                            \
        AXI_AT(n);                                                                                  \
        AXI_RETURN(op);                                                                             \
        AXI_HERE(n) : if (leave) AXI_RETURN(axi_op(AXI_LEFT));                                      \
    } while (0)
#define AX_WHILE(op) AXI_WHILE(op, AXI_COUNTER)
#define AXI_WHILE(op, n)                                                                            \
    for (;;)                                                                                        \
        if (1) {                                                                                    \
            AXI_AT(n);                                                                              \
            AXI_RETURN(op);                                                                         \
            AXI_HERE(n) : if (me->node.bad) AXI_RETURN(axi_op(AXI_LEFT));                           \
            if (me->rc <= 0) break;                                                                 \
            goto AXI_CAT(axi_item_, n);                                                             \
        } else                                                                                      \
            AXI_CAT(axi_item_, n) :

#define AX_EMIT() AXI_EMIT(AXI_COUNTER)
#define AXI_EMIT(n)                                                                                 \
    do {                                                                                            \
        AXI_NEVER(axi_in_finally, AX_EMIT_is_refused_in_AX_FINALLY);                                \
        AXI_AT(n);                                                                                  \
        AXI_RETURN(axi_op(AXI_EMITTED));                                                            \
        AXI_HERE(n) : if (me->node.bad) AXI_RETURN(axi_op(AXI_LEFT));                               \
    } while (0)

#define AX_WITHIN(time, op) \
    axi_must_await(axi_within(me, &my->frame, AXI_DURATION(time)) ? (op) : ax_done(AX_EINVAL))

#define AX_CALL(...) axi_must_await(AXI_CALL(AXI_COUNTER, AXI_HEAD(__VA_ARGS__, ~), __VA_ARGS__))
#define AX_CALL_IN(slot, ...) axi_must_await(AXI_CALL_IN(AXI_COUNTER, slot, AXI_HEAD(__VA_ARGS__, ~), __VA_ARGS__))
#define AX_GENERATE(storage, ...) AXI_GENERATE(AXI_COUNTER, storage, AXI_HEAD(__VA_ARGS__, ~), __VA_ARGS__)
#define AX_SPAWN(group, ...) AXI_SPAWN(AXI_COUNTER, group, AXI_HEAD(__VA_ARGS__, ~), __VA_ARGS__)
#define AX_SPAWN_IN(group, storage, ...) AXI_SPAWN_IN(AXI_COUNTER, group, storage, AXI_HEAD(__VA_ARGS__, ~), __VA_ARGS__)

AX_API void axi_zero(void *p, size_t size);
#if defined(__GNUC__) && !defined(ASYNCX_FREESTANDING)
#define AXI_ZERO(f) __builtin_memset((f), 0, sizeof *(f)) /* of a constant size: no call */
#else
#define AXI_ZERO(f) axi_zero((f), sizeof *(f))
#endif
#ifndef ASYNCX_COMMA
#define AXI_FILL(f, ...)           \
    if (f) {                       \
        AXI_ZERO(f);               \
        AXI_SET(f, __VA_ARGS__)    \
    }
#define AXI_CALL(n, fn, ...) AXI_CALL_(AXI_CAT(axi_f_, n), fn, __VA_ARGS__)
#define AXI_CALL_(f, fn, ...)                                                                 \
    __extension__({                                                                           \
        struct fn *f = (struct fn *)axi_new(me, sizeof(struct fn));                           \
        AXI_FILL(f, __VA_ARGS__)                                                              \
        axi_call(me, (ax_frame *)(void *)f, AXI_FN(fn)(), 1);                                 \
    })
#define AXI_CALL_IN(n, slot, fn, ...) AXI_CALL_IN_(AXI_CAT(axi_f_, n), slot, fn, __VA_ARGS__)
#define AXI_CALL_IN_(f, slot, fn, ...)                                                        \
    __extension__({                                                                           \
        struct fn *f = (slot);                                                                \
        f = (struct fn *)axi_reuse(&f->frame);                                                \
        AXI_FILL(f, __VA_ARGS__)                                                              \
        axi_call(me, (ax_frame *)(void *)f, AXI_FN(fn)(), 0);                                 \
    })
#define AXI_GENERATE(n, storage, fn, ...) AXI_GENERATE_(AXI_CAT(axi_f_, n), AXI_CAT(axi_t_, n), storage, fn, __VA_ARGS__)
#define AXI_GENERATE_(f, g, storage, fn, ...)                                                 \
    __extension__({                                                                           \
        ax_generator *g = &(storage)->generator;                                              \
        struct fn *f = &(storage)->frame;                                                     \
        f = (struct fn *)axi_generator_new(me, g, &f->frame);                                 \
        AXI_FILL(f, __VA_ARGS__)                                                              \
        axi_generator_open(me, g, (ax_frame *)(void *)f, AXI_FN(fn)());                       \
    })
#define AXI_SPAWN(n, group, fn, ...) AXI_SPAWN_(AXI_CAT(axi_f_, n), group, fn, __VA_ARGS__)
#define AXI_SPAWN_(f, group, fn, ...)                                                         \
    __extension__({                                                                           \
        struct fn *f = (struct fn *)axi_task_new((group), sizeof(struct fn));                 \
        AXI_FILL(f, __VA_ARGS__)                                                              \
        axi_task_start(NULL, (ax_frame *)(void *)f, AXI_FN(fn)());                            \
    })
#define AXI_SPAWN_IN(n, group, storage, fn, ...) \
    AXI_SPAWN_IN_(AXI_CAT(axi_f_, n), AXI_CAT(axi_t_, n), group, storage, fn, __VA_ARGS__)
#define AXI_SPAWN_IN_(f, t, group, storage, fn, ...)                                          \
    __extension__({                                                                           \
        ax_task *t = &(storage)->task;                                                        \
        struct fn *f = &(storage)->frame;                                                     \
        f = (struct fn *)axi_task_in((group), t, &f->frame);                                  \
        AXI_FILL(f, __VA_ARGS__)                                                              \
        axi_task_start(t, (ax_frame *)(void *)f, AXI_FN(fn)());                               \
    })
#define AXI_DO ;
#else /* the same by comma expressions; the frame is the first of a list meanwhile, the next while its arguments make frames */
#define AXI_FILL(new, fn, ...) \
    axi_push_frame((new), sizeof(struct fn)) ? (AXI_SET(((struct fn *)axi_filled_), __VA_ARGS__)(void)0) : (void)0
#define AXI_TAKE axi_pop_frame()
#define AXI_CALL(n, fn, ...) \
    (AXI_FILL(axi_new(me, sizeof(struct fn)), fn, __VA_ARGS__), axi_call(me, AXI_TAKE, AXI_FN(fn)(), 1))
#define AXI_CALL_IN(n, slot, fn, ...) \
    (AXI_FILL(axi_reuse(&(slot)->frame), fn, __VA_ARGS__), axi_call(me, AXI_TAKE, AXI_FN(fn)(), 0))
#define AXI_GENERATE(n, storage, fn, ...)                                                     \
    (AXI_FILL(axi_generator_new(me, &(storage)->generator, &(storage)->frame.frame), fn, __VA_ARGS__), \
     axi_generator_open(me, &(storage)->generator, AXI_TAKE, AXI_FN(fn)()))
#define AXI_SPAWN(n, group, fn, ...)                                                          \
    (AXI_FILL(axi_task_new(group, sizeof(struct fn)), fn, __VA_ARGS__),                       \
     axi_task_start(NULL, AXI_TAKE, AXI_FN(fn)()))
#define AXI_SPAWN_IN(n, group, storage, fn, ...)                                              \
    (AXI_FILL(axi_task_in(group, &(storage)->task, &(storage)->frame.frame), fn, __VA_ARGS__), \
     axi_task_start(&(storage)->task, AXI_TAKE, AXI_FN(fn)()))
#define AXI_DO ,
static AXI_THREAD_LOCAL void *axi_filled_;
static AXI_THREAD_LOCAL int axi_none_; /* there was no memory: the next pop gives NULL */
AXI_INLINE int axi_push_frame(void *new_frame, size_t size) {
    ax_frame *f = (ax_frame *)new_frame;
    axi_none_ = !f;
    if (!f) return 0;
    axi_zero(f, size);
    f->entry.up = (axi_entry *)axi_filled_;
    axi_filled_ = f;
    return 1;
}
AXI_INLINE ax_frame *axi_pop_frame(void) {
    ax_frame *f = axi_none_ ? NULL : (ax_frame *)axi_filled_;
    axi_none_ = 0;
    if (!f) return NULL;
    axi_filled_ = f->entry.up;
    f->entry.up = NULL;
    return f;
}
#endif

/* Debug builds of gcc and clang look for arguments that point to locals; not if one is a struct or union by value (classes 12 and
   13): what was never written in it may look like that. */
#if !ASYNCX_DEBUG || defined(ASYNCX_FREESTANDING)
#define AXI_ARG(f, a) (*f) a AXI_DO
#elif defined(__GNUC__) && !defined(__TINYC__) && !defined(__cplusplus) && !defined(ASYNCX_COMMA)
#define AXI_ARG(f, a)                                                       \
    {                                                                       \
        __extension__ __auto_type AXI_CAT(f, _v) = (*f) a;                  \
        (f)->frame.status |= __builtin_classify_type(AXI_CAT(f, _v)) >= 12; \
        (void)AXI_CAT(f, _v);                                               \
    }
#else /* nor where a type can't be had without a second evaluation: in C++, without statement expressions */
#define AXI_ARG(f, a) (*f) a AXI_DO (f)->frame.status = 1 AXI_DO
#endif

/* AXI_SET(f, fn, .a = 1, .b = 2) sets the arguments one by one. */
#define AXI_HEAD(x, ...) x
#define AXI_SET(f, ...) AXI_CAT(AXI_SET_, AXI_COUNT(__VA_ARGS__))(f, __VA_ARGS__)
#define AXI_COUNT(...) AXI_COUNT_(__VA_ARGS__, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, ~)
#define AXI_COUNT_(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, N, ...) N
#define AXI_SET_0(f, fn)
#define AXI_SET_1(f, fn, a) AXI_ARG(f, a)
#define AXI_SET_2(f, fn, a, ...) AXI_ARG(f, a) AXI_SET_1(f, fn, __VA_ARGS__)
#define AXI_SET_3(f, fn, a, ...) AXI_ARG(f, a) AXI_SET_2(f, fn, __VA_ARGS__)
#define AXI_SET_4(f, fn, a, ...) AXI_ARG(f, a) AXI_SET_3(f, fn, __VA_ARGS__)
#define AXI_SET_5(f, fn, a, ...) AXI_ARG(f, a) AXI_SET_4(f, fn, __VA_ARGS__)
#define AXI_SET_6(f, fn, a, ...) AXI_ARG(f, a) AXI_SET_5(f, fn, __VA_ARGS__)
#define AXI_SET_7(f, fn, a, ...) AXI_ARG(f, a) AXI_SET_6(f, fn, __VA_ARGS__)
#define AXI_SET_8(f, fn, a, ...) AXI_ARG(f, a) AXI_SET_7(f, fn, __VA_ARGS__)
#define AXI_SET_9(f, fn, a, ...) AXI_ARG(f, a) AXI_SET_8(f, fn, __VA_ARGS__)
#define AXI_SET_10(f, fn, a, ...) AXI_ARG(f, a) AXI_SET_9(f, fn, __VA_ARGS__)
#define AXI_SET_11(f, fn, a, ...) AXI_ARG(f, a) AXI_SET_10(f, fn, __VA_ARGS__)
#define AXI_SET_12(f, fn, a, ...) AXI_ARG(f, a) AXI_SET_11(f, fn, __VA_ARGS__)
#define AXI_SET_13(f, fn, a, ...) AXI_ARG(f, a) AXI_SET_12(f, fn, __VA_ARGS__)
#define AXI_SET_14(f, fn, a, ...) AXI_ARG(f, a) AXI_SET_13(f, fn, __VA_ARGS__)
#define AXI_SET_15(f, fn, a, ...) AXI_ARG(f, a) AXI_SET_14(f, fn, __VA_ARGS__)
#define AXI_SET_16(f, fn, a, ...) AXI_ARG(f, a) AXI_SET_15(f, fn, __VA_ARGS__)

/* What a step tells axi_run_task; an op's status is above them all. AXI_OWN is the status of the task's own cancellation, which
   callers see as AX_ECANCELED. */
enum { AXI_PENDING = INT_MIN, AXI_CALLED, AXI_LEFT, AXI_ENDED, AXI_SWITCHED, AXI_EMITTED, AXI_OWN };

AXI_INLINE ax_op axi_op(int code) { return ax_done(code); }
AXI_INLINE AX_MUST_USE ax_op axi_must_await(ax_op op) { return op; }
AXI_INLINE ax_op axi_end(ax_task *me) {
    (void)me;
    return axi_op(AXI_ENDED);
}
#ifdef ASYNCX_FREESTANDING /* files that do not agree on the layout of tasks and frames, or what a tick is, do not link */
#define AXI_LAYOUT(name) \
    AXI_LAYOUT_(name, ASYNCX_TIME_BITS, ASYNCX_TICK_HZ, AXI_CANCEL, AXI_KEEP, AXI_GENERATORS, ASYNCX_NAMES, ASYNCX_DEBUG, \
                ASYNCX_TRACE)
#define AXI_LAYOUT_(name, a, b, c, d, e, f, g, h) AXI_LAYOUT__(name, a, b, c, d, e, f, g, h)
#define AXI_LAYOUT__(name, a, b, c, d, e, f, g, h) name##_##a##_##b##_##c##d##e##f##g##h
#else
#define AXI_LAYOUT(name) AXI_LAYOUT_(name, ASYNCX_DEBUG, ASYNCX_TRACE)
#define AXI_LAYOUT_(name, debug, trace) AXI_LAYOUT__(name, debug, trace)
#define AXI_LAYOUT__(name, debug, trace) name##_debug##debug##_trace##trace
#define axi_run_main AXI_LAYOUT(axi_run_main)
#endif
#define axi_call AXI_LAYOUT(axi_call)
#define axi_task_start AXI_LAYOUT(axi_task_start)
#define axi_generator_open AXI_LAYOUT(axi_generator_open)
#define AXI_FN(fn) AXI_LAYOUT(AXI_CAT(fn, _axi))
AX_API ax_op axi_return(ax_task *me, int status);
AX_API ax_op axi_check(ax_task *me);
AX_API ax_op axi_lost(ax_task *me);
#if AXI_CANCEL
AX_API int axi_within(ax_task *me, ax_frame *frame, ax_time time);
AX_API const struct axi_fn *AXI_FN(ax_joiner)(void);
#endif
#ifndef ASYNCX_FREESTANDING
AX_API const struct axi_fn *AXI_FN(ax_server)(void);
#endif
AX_API void *axi_new(ax_task *me, size_t size);
AX_API void *axi_reuse(ax_frame *frame);
AX_API AX_MUST_USE ax_op axi_call(ax_task *me, ax_frame *frame, const struct axi_fn *fn, int owned);
#if AXI_GENERATORS
AX_API ax_frame *axi_generator_new(ax_task *me, ax_generator *generator, ax_frame *frame);
AX_API int axi_generator_open(ax_task *me, ax_generator *generator, ax_frame *frame, const struct axi_fn *fn);
#endif
AX_API ax_frame *axi_task_new(ax_group *group, size_t size);
AX_API ax_frame *axi_task_in(ax_group *group, ax_task *task, ax_frame *frame);
AX_API ax_task *axi_task_start(ax_task *task, ax_frame *frame, const struct axi_fn *fn);
AX_API ax_frame *axi_first_frame(const ax_task *task);
#if ASYNCX_DEBUG && !defined(ASYNCX_FREESTANDING)
#define AXI_FRAME_OF(task, fn) axi_frame_of((task), AXI_FN(fn)())
AX_API ax_frame *axi_frame_of(const ax_task *task, const struct axi_fn *fn);
#else
#define AXI_FRAME_OF(task, fn) axi_first_frame(task)
#endif

#ifdef ASYNCX_FREESTANDING /* in static memory: known when the program is linked */
#define AXI_RUN(desc, fn, ...)                                                                    \
    __extension__({                                                                               \
        static ax_loop axi_l;                                                                     \
        static AX_TASK(fn) axi_main;                                                              \
        int axi_rc = axi_run_open(&axi_l, (desc), &axi_main.task);                                \
        if (axi_rc >= 0) {                                                                        \
            AX_SPAWN_IN(&axi_l.root, &axi_main, __VA_ARGS__);                                     \
            axi_rc = axi_run_main(&axi_l, &axi_main.task);                                        \
        }                                                                                         \
        axi_rc;                                                                                   \
    })
AX_API int axi_run_open(ax_loop *loop, const ax_loop_desc *desc, ax_task *main);
AX_API int axi_run_main(ax_loop *loop, ax_task *main);
#else
#ifndef ASYNCX_COMMA
#define AXI_RUN(desc, fn, ...)                                                                    \
    __extension__({                                                                               \
        ax_loop axi_l;                                                                            \
        struct fn *axi_main = (struct fn *)axi_run_open(&axi_l, (desc), sizeof(struct fn));       \
        AXI_FILL(axi_main, __VA_ARGS__)                                                           \
        axi_run_main(&axi_l, (ax_frame *)(void *)axi_main, AXI_FN(fn)());                         \
    })
#else
#define AXI_RUN(desc, fn, ...)                                                                    \
    (AXI_FILL(axi_run_open(NULL, (desc), sizeof(struct fn)), fn, __VA_ARGS__),                    \
     axi_run_main(NULL, AXI_TAKE, AXI_FN(fn)()))
#endif
AX_API ax_frame *axi_run_open(ax_loop *loop, const ax_loop_desc *desc, size_t size);
AX_API int axi_run_main(ax_loop *loop, ax_frame *frame, const struct axi_fn *fn);
#endif

#ifdef __cplusplus
}
#endif
#endif /* ASYNCX_H */

/* ======================================= implementation ================================================

   In the order of the declarations, but that what others stand on comes before them: limits (8) before groups (7), both before the
   driver that steps tasks (5), descriptors (13) before the loop's turns (12). */

#if defined(ASYNCX_IMPLEMENTATION) && !defined(ASYNCX_IMPLEMENTED)
#define ASYNCX_IMPLEMENTED

#ifndef ASYNCX_FREESTANDING
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#ifndef _WIN32
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>
#define AXI_THREAD_MAIN void *
#if !defined(CLOCK_MONOTONIC) || !defined(F_DUPFD_CLOEXEC) || !defined(SA_RESTART)
#error "asyncx.h: include it before any system header in this file, or compile with -D_POSIX_C_SOURCE=200809L"
#endif
#else
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <process.h>
#endif
#ifdef ASYNCX_EPOLL
#include <sys/epoll.h>
#include <sys/syscall.h>
#endif
#ifdef ASYNCX_KQUEUE
#include <sys/event.h>
#endif
#endif
#ifndef AX_ASSERT
#define AX_ASSERT(x) ((void)0)
#endif
#ifndef ASYNCX_AWAITS
#define ASYNCX_AWAITS 128
#endif

#if defined(__SANITIZE_ADDRESS__)
#define AXI_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define AXI_ASAN 1
#endif
#endif
#ifndef AXI_ASAN
#define AXI_ASAN 0
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum { AXI_NEW_, AXI_FRESH, AXI_QUEUED, AXI_READY, AXI_PARKED, AXI_RUNNING, AXI_DONE };       /* node.state of a task */
enum { AXI_POSTED = 1 };                                                                      /* ... of a callback */
enum { AXI_TASK = 1, AXI_CALLBACK, AXI_TIMED, AXI_FREED };                                    /* node.kind */
#ifndef ASYNCX_FREESTANDING
#define AXI_SET_KIND(node, to) ((node)->kind = (to))
#define AXI_IS_TASK(node) ((node)->kind == AXI_TASK)
#else /* a state of its own tells what is not a task */
enum { AXI_NO_TASK = AXI_DONE + 1 };
#define AXI_SET_KIND(node, to) ((void)((to) != AXI_TASK && ((node)->state = AXI_NO_TASK)))
#define AXI_IS_TASK(node) ((node)->state != AXI_NO_TASK)
#endif
enum { AXI_UNOPENED, AXI_UNBEGUN, AXI_PAUSED, AXI_GOING, AXI_CLOSING, AXI_EXHAUSTED };            /* state of a generator */
enum { AXI_CLOSED, AXI_IDLE, AXI_IN_RUN, AXI_CLOSING_LOOP };                                  /* loop.state */

enum { /* node.flags of a task */
    AXI_HEAP = 1,     /* its memory is the allocator's */
    AXI_GENERATES = 2, /* it runs a generator */
    AXI_UNMET = 4,    /* a request to cancel waits for the next suspension */
    AXI_ASKED = 8,    /* its wait was asked to end and answered AX_STAY */
    AXI_WOKEN = 16,   /* woken while it still runs, before it parks */
    AXI_SLEEPS = 32,  /* u.wake is a deadline */
    AXI_PRESSED = 64, /* had its share of turns without waiting, and is to be cancelled: the next op refuses */
    AXI_BOUND = 128,  /* while it lives: by a limit */
    AXI_KEPT = AXI_KEEP ? 128 : 0 /* once it has ended: in a group's list of ended children */
};
enum { /* entry.flags of a frame or limit */
    AXI_OWNED = 1,      /* frame memory is the allocator's */
    AXI_LIMITED = 2,    /* AX_WITHIN's limit is open */
    AXI_EXPIRED = 4,    /* ... and has fired */
    AXI_UNWINDING = 8,  /* a scope of it waits for its end */
    AXI_IN_FINALLY = 16,
    AXI_PUT_OFF = 32,   /* a request waits until AX_FINALLY has ended */
    AXI_BY_LIMIT = 64,  /* me->rc's AX_ETIMEDOUT is by its own limit */
    AXI_LIVE = 128
};
enum { AXI_OPEN = 16 }; /* group.flags, beside the public ones */
enum { /* entry.flags of a group, beside AXI_LIVE */
    AXI_ABORTING = 1,
    AXI_AWAITED = 2,      /* the owner is in the join or in the close */
    AXI_ASKED_OWNER = 4,  /* the owner has a request of this group, as it has of a limit with AXI_EXPIRED: the same bit */
    AXI_NEXTED = 8,       /* the owner is in ax_group_next */
    AXI_BY_HAND = 16,     /* ax_group_cancel */
    AXI_ENDING = 64       /* the owner's body is left; not a frame's AXI_PUT_OFF */
};
#if defined(ASYNCX_FREESTANDING) && AXI_CANCEL
#define AXI_TASKS(loop, change) ((void)0)
#else
#define AXI_TASKS(loop, change) ((loop)->tasks change)
#endif
/* What is not inlined: AXI_SLOW anywhere, AXI_RARE on hosts, AXI_OUTLINE freestanding, AXI_OUTLINE_8 on AVR. */
#ifdef ASYNCX_FREESTANDING /* short paths cost code: they are for hosts */
#define AXI_FAST 0
#define AXI_OUTLINE AXI_SLOW
#define AXI_RARE
#else
#define AXI_FAST 1
#define AXI_OUTLINE
#define AXI_RARE AXI_SLOW
#endif
#ifdef __AVR__ /* where a time takes four registers and four instructions to load */
#define AXI_OUTLINE_8 AXI_SLOW
#else
#define AXI_OUTLINE_8
#endif
#if AXI_CANCEL
#define AXI_REQUESTS(t) ((t)->node.count)
#else
#define AXI_REQUESTS(t) 0
#endif
#define AXI_OVER ((axi_point)-1) /* where a frame continues that needs no more steps */
#ifndef ASYNCX_FREESTANDING
enum { AXI_MOST_REQUESTS = USHRT_MAX, AXI_MOST_REFS = USHRT_MAX };
#else
enum { AXI_MOST_REQUESTS = 15, AXI_MOST_REFS = UCHAR_MAX }; /* counts stay there */
#endif

#if defined(_WIN32) && !defined(ASYNCX_FREESTANDING)
/* ---- Windows: its sockets, threads and clock under the POSIX names that are used below, until the implementation ends ---- */

#define AXI_WIN_ERRORS(X)                                                                                                      \
    X(EINTR) X(EBADF) X(EACCES) X(EFAULT) X(EINVAL) X(EMFILE) X(EWOULDBLOCK) X(EINPROGRESS) X(EALREADY)                        \
    X(EDESTADDRREQ) X(EMSGSIZE) X(EPROTOTYPE) X(ENOPROTOOPT) X(EPROTONOSUPPORT) X(EOPNOTSUPP) X(EAFNOSUPPORT) X(EADDRINUSE)    \
    X(EADDRNOTAVAIL) X(ENETDOWN) X(ENETUNREACH) X(ENETRESET) X(ECONNABORTED) X(ECONNRESET) X(ENOBUFS) X(EISCONN) X(ENOTCONN)   \
    X(ETIMEDOUT) X(ECONNREFUSED) X(ENAMETOOLONG) X(EHOSTUNREACH)
#define AXI_X(name) {WSA##name, name},
static const struct { int code, error; } axi_win_errors[] = {
    AXI_WIN_ERRORS(AXI_X) {WSAENOTSOCK, EBADF}, {WSA_INVALID_HANDLE, EBADF}, {WSAESHUTDOWN, EPIPE}, {WSA_NOT_ENOUGH_MEMORY, ENOMEM},
    {0, EIO}};
#undef AXI_X

static int axi_win_error(int code) {
    int i = 0;
    while (axi_win_errors[i].code && axi_win_errors[i].code != code) i++;
    return axi_win_errors[i].error;
}

static int axi_win(int rc) { /* a call's result, with errno as POSIX has it */
    if (rc == SOCKET_ERROR) errno = axi_win_error(WSAGetLastError());
    return rc;
}

static int axi_win_start(void) { /* counts, and may be called by several threads */
    static volatile LONG done;
    WSADATA data;
    if (done || WSAStartup(MAKEWORD(2, 2), &data) == 0) done = 1;
    return done;
}

static int axi_win_connect(int fd, const struct sockaddr *addr, unsigned size) {
    int rc = axi_win(connect((SOCKET)fd, addr, (int)size));
    if (rc < 0 && errno == EWOULDBLOCK) errno = EINPROGRESS;
    return rc;
}

static int axi_win_option(int fd, int level, int option, void *value, socklen_t *size) {
    int rc = axi_win(getsockopt((SOCKET)fd, level, option, (char *)value, size));
    if (rc == 0 && level == SOL_SOCKET && option == SO_ERROR && *(int *)value) *(int *)value = axi_win_error(*(int *)value);
    return rc;
}

/* Inside a macro its own name is Winsock's function. */
#define socket(family, type, protocol) axi_win(axi_win_start() ? (int)socket(family, type, protocol) : -1)
#define connect(fd, addr, size) axi_win_connect(fd, addr, size)
#define bind(fd, addr, size) axi_win(bind((SOCKET)(fd), addr, (int)(size)))
#define listen(fd, most) axi_win(listen((SOCKET)(fd), most))
#define accept(fd, addr, size) axi_win((int)accept((SOCKET)(fd), addr, size))
#define getsockname(fd, addr, size) axi_win(getsockname((SOCKET)(fd), addr, size))
#define getpeername(fd, addr, size) axi_win(getpeername((SOCKET)(fd), addr, size))
#define getsockopt(fd, level, option, value, size) axi_win_option(fd, level, option, value, size)
#define setsockopt(fd, level, option, value, size) axi_win(setsockopt((SOCKET)(fd), level, option, (const char *)(value), size))
#define recv(fd, data, size, flags) axi_win(recv((SOCKET)(fd), (char *)(data), (int)(size), flags))
#define recvfrom(fd, data, size, flags, addr, addr_size) \
    axi_win(recvfrom((SOCKET)(fd), (char *)(data), (int)(size), flags, addr, addr_size))
#define send(fd, data, size, flags) axi_win(send((SOCKET)(fd), (const char *)(data), (int)(size), flags))
#define sendto(fd, data, size, flags, addr, addr_size) \
    axi_win(sendto((SOCKET)(fd), (const char *)(data), (int)(size), flags, addr, (int)(addr_size)))
#define read(fd, data, size) recv(fd, data, size, 0) /* of the wake-up pipe, which is a pair of sockets */
#define write(fd, data, size) send(fd, data, size, 0)
#define close(fd) axi_win(closesocket((SOCKET)(fd)))
#define poll(polled, count, ms) axi_win(WSAPoll(polled, count, ms))
#define getaddrinfo(host, port, hints, list) (axi_win_start() ? getaddrinfo(host, port, hints, list) : EAI_FAIL)
#define pipe(fds) axi_win_pair(fds)
#define nfds_t ULONG
#ifndef AF_UNIX
#define AF_UNIX 1
#endif
struct axi_sockaddr_un { /* of <afunix.h>, which few have */
    unsigned short sun_family;
    char sun_path[108];
};
#define sockaddr_un axi_sockaddr_un
#define sa_family_t unsigned short
#define lstat(path, st) ((void)(path), (void)(st), -1) /* what is left on a path is not replaced */
#define unlink(path) ((void)(path), -1)
#define S_ISSOCK(mode) 0
#define SHUT_RD SD_RECEIVE
#ifdef _MSC_VER
#define ssize_t ptrdiff_t
#endif

static int axi_win_pair(int fds[2]) {
    struct sockaddr_in addr, own, peer;
    socklen_t size = sizeof addr, own_size = sizeof own, peer_size = sizeof peer;
    int listener, rc = -1, saved;
    memset(&addr, 0, sizeof addr);
    addr.sin_family = AF_INET;
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fds[0] = fds[1] = -1;
    if ((listener = socket(AF_INET, SOCK_STREAM, 0)) < 0) return -1;
    if (bind(listener, (struct sockaddr *)&addr, size) == 0 && listen(listener, 8) == 0 &&
        getsockname(listener, (struct sockaddr *)&addr, &size) == 0 && (fds[1] = socket(AF_INET, SOCK_STREAM, 0)) >= 0 &&
        connect(fds[1], (struct sockaddr *)&addr, size) == 0 && getsockname(fds[1], (struct sockaddr *)&own, &own_size) == 0)
        do { /* anybody may connect first: it has to be ourselves */
            if (fds[0] >= 0) close(fds[0]);
            fds[0] = accept(listener, (struct sockaddr *)&peer, &peer_size);
            if (fds[0] >= 0 && peer.sin_port == own.sin_port && peer.sin_addr.s_addr == own.sin_addr.s_addr) rc = 0;
        } while (rc < 0 && fds[0] >= 0);
    saved = errno;
    close(listener);
    if (rc < 0 && fds[1] >= 0) close(fds[1]), fds[1] = -1;
    errno = saved;
    return rc;
}

#ifndef CLOCK_MONOTONIC
#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1
#endif
static int axi_win_clock(int monotonic, struct timespec *ts) {
    if (monotonic) {
        LARGE_INTEGER ticks, rate;
        QueryPerformanceCounter(&ticks);
        QueryPerformanceFrequency(&rate);
        ts->tv_sec = (time_t)(ticks.QuadPart / rate.QuadPart);
        ts->tv_nsec = (long)(ticks.QuadPart % rate.QuadPart * 1000000000 / rate.QuadPart);
    } else { /* tenths of a microsecond since 1601 */
        FILETIME now;
        uint64_t t;
        GetSystemTimeAsFileTime(&now);
        t = ((uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime) - 116444736000000000u;
        ts->tv_sec = (time_t)(t / 10000000);
        ts->tv_nsec = (long)(t % 10000000 * 100);
    }
    return 0;
}
#define clock_gettime(id, ts) axi_win_clock((id) == CLOCK_MONOTONIC, ts)

#pragma push_macro("PTHREAD_MUTEX_INITIALIZER") /* <pthread.h> may have been there before */
#pragma push_macro("pthread_sigmask")
#undef PTHREAD_MUTEX_INITIALIZER
#undef pthread_sigmask
#define pthread_mutex_t SRWLOCK
#define PTHREAD_MUTEX_INITIALIZER SRWLOCK_INIT
#define pthread_mutex_init(mutex, attributes) InitializeSRWLock(mutex)
#define pthread_mutex_destroy(mutex) ((void)(mutex))
#define pthread_mutex_lock(mutex) AcquireSRWLockExclusive(mutex)
#define pthread_mutex_unlock(mutex) ReleaseSRWLockExclusive(mutex)
#define pthread_cond_t CONDITION_VARIABLE
#define pthread_cond_init(cond, attributes) InitializeConditionVariable(cond)
#define pthread_cond_destroy(cond) ((void)(cond))
#define pthread_cond_signal(cond) WakeConditionVariable(cond)
#define pthread_cond_broadcast(cond) WakeAllConditionVariable(cond)
#define pthread_cond_wait(cond, mutex) SleepConditionVariableSRW(cond, mutex, INFINITE, 0)
#define pthread_cond_timedwait(cond, mutex, until) axi_win_wait_until(cond, mutex, until)
static int axi_win_wait_until(CONDITION_VARIABLE *cond, SRWLOCK *mutex, const struct timespec *until) {
    struct timespec now;
    int64_t ms;
    clock_gettime(CLOCK_REALTIME, &now);
    ms = ((int64_t)until->tv_sec - now.tv_sec) * 1000 + (until->tv_nsec - now.tv_nsec) / 1000000 + 1;
    if (ms <= 0) return ETIMEDOUT;
    return SleepConditionVariableSRW(cond, mutex, ms < INT_MAX ? (DWORD)ms : INT_MAX, 0) || ms >= INT_MAX ? 0 : ETIMEDOUT;
}
#define AXI_THREAD_MAIN unsigned __stdcall
#define pthread_t HANDLE
#define pthread_self() GetCurrentThreadId()
#define pthread_create(thread, attributes, fn, arg) \
    ((*(thread) = (HANDLE)_beginthreadex(NULL, 0, fn, arg, 0, NULL)) != NULL ? 0 : EAGAIN)
#define pthread_join(thread, status) (WaitForSingleObject(thread, INFINITE), CloseHandle(thread))
#define pthread_detach(thread) CloseHandle(thread)
#define sched_yield() Sleep(0)

/* Ctrl-C calls the handler on a thread of its own, once for each signal(). */
#define SA_RESTART 0
#define SA_RESETHAND 1
#define pthread_sigmask(how, set, old) ((void)(set), (void)(old))
#define sigfillset(set) (*(set) = 0)
#define sigset_t int
#define sigaction(number, act, old) axi_win_action(number, act, old)
struct sigaction {
    void (*sa_handler)(int);
    int sa_flags;
};
static void (*volatile axi_win_kept[NSIG])(int);
AXI_SLOW static int axi_win_action(int number, const struct sigaction *act, struct sigaction *old) {
    void (*was)(int) = number < NSIG ? signal(number, act ? act->sa_handler : SIG_DFL) : SIG_ERR;
    if (old) {
        old->sa_handler = was;
        old->sa_flags = was != SIG_ERR && axi_win_kept[number] ? SA_RESTART : SA_RESETHAND;
    }
    if (was == SIG_ERR) return errno = EINVAL, -1;
    if (!act) signal(number, was);
    else axi_win_kept[number] = act->sa_flags & SA_RESETHAND ? SIG_DFL : act->sa_handler;
    return 0;
}
#endif

/* ---- Lists ---- */

#ifndef ASYNCX_FREESTANDING
static axi_link *axi_head(const axi_list *list) { return list->ring; }
static axi_link *axi_tail(const axi_list *list) { return list->ring->prev; }
static axi_link *axi_after(const axi_list *list, const axi_link *link) { return link->next != list->ring ? link->next : NULL; }

static void axi_push(axi_list *list, axi_link *link) {
    axi_link *first = list->ring;
    if (!first) {
        list->ring = link->next = link->prev = link;
        return;
    }
    link->next = first;
    link->prev = first->prev;
    first->prev->next = link;
    first->prev = link;
}

static void axi_take(axi_list *list, axi_link *link) {
    if (link->next == link) {
        list->ring = NULL;
    } else {
        link->prev->next = link->next;
        link->next->prev = link->prev;
        if (list->ring == link) list->ring = link->next;
    }
}

static axi_link *axi_pop(axi_list *list) { /* the first; the list is not empty */
    axi_link *link = list->ring;
    axi_take(list, link);
    return link;
}

/* The ready queue. */
static void axi_enqueue_task(ax_loop *loop, axi_link *link) {
    loop->end.prev->next = link;
    loop->end.prev = link;
}
static void axi_enqueue(ax_loop *loop, axi_link *link) {
    link->prev = loop->end.prev;
    axi_enqueue_task(loop, link);
}
static axi_link *axi_dequeue(ax_loop *loop) { /* it is not empty */
    axi_link *link = loop->end.next;
    loop->end.next = link->next;
    if (link == loop->end.prev) loop->end.prev = &loop->end;
    return link;
}
/* The first's prev, the last's next and those of tasks are not kept: a store less for each. This sets the ends', before any place
   but them is touched; a task is taken out by its place. */
static void axi_close_ring(ax_loop *loop) {
    loop->end.prev->next = &loop->end;
    loop->end.next->prev = &loop->end;
}
static void axi_take_ready(ax_loop *loop, axi_link *task) {
    axi_close_ring(loop);
    for (task->prev = &loop->end; task->prev->next != task;) task->prev = task->prev->next;
    axi_take(&loop->ready, task);
}
static int axi_any_ready(const ax_loop *loop) { return loop->end.prev != &loop->end; }
#else /* one link is enough where lists are short: to take one out of the middle walks there */
static axi_link *axi_head(const axi_list *list) { return list->ring ? list->ring->next : NULL; }

AXI_OUTLINE static void axi_push(axi_list *list, axi_link *link) {
    axi_link *last = list->ring;
    if (!last) last = link->next = link; /* a ring of one, into which it goes once more */
    link->next = last->next;
    last->next = link;
    list->ring = link;
}

static axi_link *axi_pop(axi_list *list) { /* the first; the list is not empty */
    axi_link *last = list->ring, *link = last->next;
    last->next = link->next;
    if (link == last) list->ring = NULL;
    return link;
}

#if AXI_CANCEL
static axi_link *axi_tail(const axi_list *list) { return list->ring; }
static axi_link *axi_after(const axi_list *list, const axi_link *link) { return link != list->ring ? link->next : NULL; }

AXI_OUTLINE static void axi_take(axi_list *list, axi_link *link) {
    axi_link *last = list->ring, *before = last;
    while (before->next != link) before = before->next;
    before->next = link->next;
    if (before == link) before = NULL; /* it was the only one */
    if (link == last) list->ring = before;
}
#endif

static void axi_enqueue(ax_loop *loop, axi_link *link) { axi_push(&loop->ready, link); }
#define axi_enqueue_task axi_enqueue
static axi_link *axi_dequeue(ax_loop *loop) { return axi_pop(&loop->ready); }
#define axi_close_ring(loop) ((void)0)
#define axi_take_ready(loop, link) axi_take(&(loop)->ready, link)
static int axi_any_ready(const ax_loop *loop) { return loop->ready.ring != NULL; }
#endif

AX_API int ax_waiters(const axi_list *list) {
    const axi_link *link = axi_head(list);
    int n = 0;
    if (link) do n++, link = link->next;
        while (link != axi_head(list));
    return n;
}

/* A task and its first frame in one block, which is aligned for anything: then so is the frame. */
#ifdef ASYNCX_FREESTANDING
struct axi_anything {
    char c;
    union { void *p; int64_t i; double d; } any;
};
#define AXI_ALIGN offsetof(struct axi_anything, any)
#define AXI_TASK_SIZE ((sizeof(ax_task) + AXI_ALIGN - 1) / AXI_ALIGN * AXI_ALIGN)
#else
#define AXI_TASK_SIZE sizeof(ax_task)
#endif
#define AXI_TASK_OF(member, link) ((ax_task *)(void *)((char *)(link) - offsetof(ax_task, member)))

#define AXI_GENERATOR_OF(t) ((ax_generator *)(void *)((char *)(t) - offsetof(ax_generator, task)))

AXI_OUTLINE static ax_task *axi_first(axi_list *list) { /* the first waiter, off the list */
    return list->ring ? AXI_TASK_OF(node, axi_pop(list)) : NULL;
}

/* ---- 2 Status ---- */

#define AXI_TEXT(condition, t)                    \
    if (condition) {                              \
        static const char axi_text[] AXI_ROM = t; \
        return axi_text;                          \
    }
AX_API const char *ax_strerror(int status) {
    AXI_TEXT(status >= 0, "success")
#define AXI_X(name, text) AXI_TEXT(status == AX_##name, text)
    AXI_ERRORS(AXI_X)
#undef AXI_X
#ifdef ASYNCX_FREESTANDING
    AXI_TEXT(1, "error")
#else
    return status == INT_MIN ? "invalid status" : strerror(-status);
#endif
}

AX_API const char *ax_errname(int status) {
    AXI_TEXT(status >= 0, "success")
#define AXI_X(name, text) AXI_TEXT(status == AX_##name, "AX_" #name)
    AXI_ERRORS(AXI_X)
#undef AXI_X
    AXI_TEXT(1, "error")
}

#if ASYNCX_NAMES
static ax_where axi_where(const ax_frame *f) {
    ax_where w;
    w.function = AXI_ROM_READ(const char *, &f->fn->name);
#if AXI_FILES
    w.file = AXI_ROM_READ(const char *, &f->fn->file);
#else
    w.file = "";
#endif
    w.line = AXI_LINE_OF(f);
    return w;
}
#endif

#ifdef ASYNCX_FREESTANDING
static int axi_misuse(ax_loop *loop, int status) {
    (void)loop;
    AX_ASSERT(0);
    return status;
}
#define axi_misuse(loop, status, text) axi_misuse((loop), (status)) /* the sentences stay out of the flash */
#define axi_foreign(loop) 0
#else
/* For ax_exit: how the last AX_RUN of this thread ended, and what misuse was reported. */
static AXI_THREAD_LOCAL struct axi_origin axi_last;
static AXI_THREAD_LOCAL char axi_last_report[240]; /* the first: what follows may be its consequence */
static AXI_THREAD_LOCAL ax_loop *axi_current; /* the loop that runs on this thread, the innermost one */

AXI_SLOW static int axi_misuse(ax_loop *loop, int status, const char *text) { /* loop: NULL if it is not known */
    enum { LONGEST = 60 }; /* of a path: its end */
    char said[sizeof axi_last_report], place[sizeof said / 2] = "", line[16] = "";
    if (!loop) loop = axi_current;
    if (axi_current && axi_current->stepping) { /* not the loop's: this may be another thread */
        ax_where w = axi_where(axi_current->stepping); /* the line of its last await */
        size_t length = strlen(w.file);
        if (w.line) snprintf(line, sizeof line, ":%d", w.line);
        snprintf(place, sizeof place, " (in %.30s, %s%s)", w.function, w.file + (length > LONGEST ? length - LONGEST : 0), line);
    }
    snprintf(said, sizeof said, "%s%s", text, place);
    if (!axi_last_report[0]) memcpy(axi_last_report, said, sizeof said);
    if (loop && loop->desc.report) loop->desc.report(loop->desc.report_ctx, said);
    AX_ASSERT(0);
    return status;
}

#if ASYNCX_DEBUG
static int axi_foreign(ax_loop *loop) {
    if (loop->thread == (uintptr_t)pthread_self()) return 0;
    axi_misuse(loop, 0, "a loop is used from another thread than its own; only ax_post may be");
    return 1;
}
#else
#define axi_foreign(loop) 0
#endif
#endif

static size_t axi_size_of(const struct axi_fn *fn) { return AXI_ROM_READ(size_t, &fn->size); }

#if ASYNCX_DEBUG
AXI_SLOW static uintptr_t axi_stack(void) { /* where the C stack is now */
#if defined(__GNUC__)
    return (uintptr_t)__builtin_frame_address(0); /* the address sanitizer may keep locals elsewhere */
#else
    char here;
    return (uintptr_t)&here;
#endif
}
/* The C stack below the loop's run dies with each step: nothing that outlives the step may be there, */
static int axi_dead_stack(ax_loop *loop, const void *data) {
    if ((uintptr_t)data >= loop->stack || (uintptr_t)data < axi_stack()) return 0;
    axi_misuse(loop, 0, "a buffer or argument is a local variable, which is gone after the wait; put it into the frame");
    return 1;
}
#ifndef ASYNCX_FREESTANDING
/* and a function starts when its caller's locals are gone: none of its arguments points there. */
static int axi_dead_argument(ax_loop *loop, ax_frame *f, const struct axi_fn *fn) {
    const char *p = (const char *)(f + 1), *end = (const char *)f + axi_size_of(fn);
    uintptr_t here = axi_stack(), word;
    int telling = !f->status; /* what AXI_ARG has left there */
    f->status = 0;
    for (; telling && loop->stack && (size_t)(end - p) >= sizeof word; p += sizeof word) {
        memcpy(&word, p, sizeof word);
        if (word < here || word >= loop->stack) continue;
        axi_misuse(loop, 0, "an argument points to a local variable, which is gone by then; put it into the frame");
        return 1;
    }
    return 0;
}
#endif
/* Freed tasks stay mapped in the loop's free lists: a stale pointer is seen as long as the memory is not used again. */
static int axi_freed(const ax_task *t) {
    if (t && AXI_IS_TASK(&t->node)) return 0;
    axi_misuse(NULL, 0, "a task is NULL, or used after it was freed: keep it with ax_task_ref, AX_SPAWN_IN or AX_GROUP_KEEP");
    return 1;
}
#else
#define axi_freed(task) (!(task))
#define axi_dead_stack(loop, data) 0
#endif
#if !ASYNCX_DEBUG || defined(ASYNCX_FREESTANDING)
#define axi_dead_argument(loop, f, fn) 0
#endif

#ifndef ASYNCX_FREESTANDING
static int axi_elsewhere(const ax_task *me, const ax_loop *loop) {
    return loop != me->loop && axi_misuse(me->loop, 1, "an executor or generator is used by a task of another loop than its own");
}

/* ---- Memory: free lists per size over chunks or the arena ---- */

static int axi_size_class(size_t size, size_t *rounded, void ***list, ax_loop *loop) {
    unsigned i = 0;
    if (size <= 1024) {
        i = size ? (unsigned)((size - 1) / 8) : 0;
        *rounded = (i + 1) * (size_t)8;
        *list = &loop->pool[i];
        return 1;
    }
    for (*rounded = 2048; *rounded < size && i < 31; i++) *rounded *= 2;
    *list = &loop->big[i];
    return *rounded >= size;
}

static void *axi_carve(ax_loop *loop, size_t size) {
    void *p;
    /* what needs an alignment of 16 has a size that is a multiple of it */
    if (size % 16 == 0 && (uintptr_t)loop->chunk % 16) loop->chunk += 8;
    if (loop->chunk > loop->chunk_end || (size_t)(loop->chunk_end - loop->chunk) < size) {
        enum { CHUNK = 262144 }; /* so large that malloc keeps it apart from what it can give back */
        void **chunk;
        if (loop->desc.arena) return NULL;
        if (!(chunk = (void **)malloc(CHUNK))) return NULL;
        *chunk = loop->chunks;
        loop->chunks = chunk;
        loop->chunk = (unsigned char *)chunk + 16;
        loop->chunk_end = (unsigned char *)chunk + CHUNK;
    }
    p = loop->chunk;
    loop->chunk += size;
    return p;
}

AXI_SLOW static void *axi_alloc_rare(ax_loop *loop, size_t size) {
    void *p;
    if (loop->desc.alloc) {
        p = loop->desc.alloc(loop->desc.alloc_ctx, NULL, 0, size);
    } else if (AXI_ASAN && !loop->desc.arena) {
        p = malloc(size); /* so that a use after free is seen */
    } else if (size > 1024 && !loop->desc.arena) {
        p = malloc(size);
    } else {
        void **list;
        if (!axi_size_class(size, &size, &list, loop)) return NULL;
        if ((p = *list) != NULL) *list = *(void **)p;
        else p = axi_carve(loop, size);
    }
    if (p && (loop->used += size) > loop->peak) loop->peak = loop->used;
    return p;
}

/* Tasks and frames are small: a block comes off its free list and goes back there. */
static void *axi_alloc(ax_loop *loop, size_t size) {
    size_t i = (size - 1) / 8;
    void *p;
    if (!AXI_LIKELY(i < AXI_POOLS && loop->pooled && (p = loop->pool[i]) != NULL)) return axi_alloc_rare(loop, size);
    loop->pool[i] = *(void **)p;
    if ((loop->used += (i + 1) * 8) > loop->peak) loop->peak = loop->used;
    return p;
}

AXI_SLOW static void axi_free_rare(ax_loop *loop, void *p, size_t size) {
    if (!p) return;
    if (loop->desc.alloc) {
        loop->desc.alloc(loop->desc.alloc_ctx, p, size, 0);
    } else if (!loop->desc.arena && (AXI_ASAN || size > 1024)) {
        free(p);
    } else {
        void **list;
        axi_size_class(size, &size, &list, loop);
        *(void **)p = *list;
        *list = p;
    }
    loop->used -= size;
}

static void axi_free(ax_loop *loop, void *p, size_t size) {
    size_t i = (size - 1) / 8;
    if (!AXI_LIKELY(i < AXI_POOLS && loop->pooled && p)) {
        axi_free_rare(loop, p, size);
        return;
    }
    *(void **)p = loop->pool[i];
    loop->pool[i] = p;
    loop->used -= (i + 1) * 8;
}

#define axi_clear(p, size) memset((p), 0, (size))
AX_API void axi_zero(void *p, size_t size) { memset(p, 0, size); }

/* How long an array becomes that is to be at least `want` long: it is doubled. 0: that can't be. */
static unsigned axi_grown(unsigned cap, unsigned want) {
    unsigned n = cap ? cap : 8;
    while (n && n < want) n = n > UINT_MAX / 2 ? 0 : 2 * n;
    return n;
}
static int axi_grow(ax_loop *loop, void *array, unsigned *cap, unsigned want, size_t item) {
    void *old, *p;
    unsigned n = axi_grown(*cap, want);
    memcpy(&old, array, sizeof old);
    if (want <= *cap) return 0;
    if (!n || n > SIZE_MAX / item) return AX_ENOMEM;
    if (*cap * item > 1024 && !loop->desc.alloc && !loop->desc.arena) { /* malloc's own: a large one moves without being copied */
        if (!(p = realloc(old, n * item))) return AX_ENOMEM;
        if ((loop->used += (n - *cap) * item) > loop->peak) loop->peak = loop->used;
    } else {
        if (!(p = axi_alloc(loop, n * item))) return AX_ENOMEM;
        if (old) memcpy(p, old, *cap * item);
        axi_free(loop, old, *cap * item);
    }
    memset((char *)p + *cap * item, 0, (n - *cap) * item);
    memcpy(array, &p, sizeof p);
    *cap = n;
    return 0;
}

/* ---- Timers ----

   Those that are due up to the horizon are a 4-ary heap with the keys in the array (D. B. Johnson, "Priority queues with update",
   1975). Behind it stand the later ones, in no order: to add, move or drop one of these is a matter of a few instructions, and most
   timers are stopped long before their time. When the heap is used up, the earliest of the rest become the next one, as in a ladder
   queue (W. T. Tang, R. S. M. Goh, I. L.-J. Thng, 2005): it fits the cache, however many timers there are. */

static int axi_before(const struct axi_timer *a, const struct axi_timer *b) {
    return a->when < b->when || (a->when == b->when && (int)(a->node->seq - b->node->seq) < 0);
}

static void axi_timer_put(struct axi_timer *heap, unsigned i, struct axi_timer t) {
    heap[i] = t;
    t.node->timer = i + 1;
}

static void axi_timer_up(struct axi_timer *heap, unsigned i, struct axi_timer t) {
    for (; i && axi_before(&t, &heap[(i - 1) / 4]); i = (i - 1) / 4) axi_timer_put(heap, i, heap[(i - 1) / 4]);
    axi_timer_put(heap, i, t);
}

static void axi_timer_down(struct axi_timer *heap, unsigned n, unsigned i, struct axi_timer t) {
    unsigned child, end, c;
    while ((child = 4 * i + 1) < n) {
        end = child + 4 < n ? child + 4 : n;
        for (c = child + 1; c < end; c++)
            if (axi_before(&heap[c], &heap[child])) child = c;
        if (!axi_before(&heap[child], &t)) break;
        axi_timer_put(heap, i, heap[child]);
        i = child;
    }
    axi_timer_put(heap, i, t);
}

/* One that stands, or is to stand, at a place behind the heap joins it; the first behind the heap takes that place. */
static void axi_timer_near(ax_loop *loop, unsigned i, struct axi_timer t) {
    unsigned last = loop->heaped++;
    if (i != last) axi_timer_put(loop->timers, i, loop->timers[last]);
    axi_timer_up(loop->timers, last, t);
}

/* The next heap, of the rest: all of a few; of more those up to the earliest of a sample, about a sixteenth, so that each is looked
   at some ten times in its life. */
AXI_SLOW static void axi_timer_refill(ax_loop *loop) {
    unsigned i, n = loop->timer_count, few = n <= 512, looks = few ? n : 16, random = loop->next_seq;
    ax_time horizon = few ? 0 : AX_FOREVER;
    for (i = 0; i < looks; i++) {
        ax_time when = loop->timers[few ? i : (random = random * 1664525 + 1013904223) % n].when;
        if (few ? when > horizon : when < horizon) horizon = when;
    }
    loop->horizon = horizon;
    for (i = 0; i < n; i++)
        if (loop->timers[i].when <= horizon) axi_timer_near(loop, i, loop->timers[i]);
    loop->heaped_most = 2 * loop->heaped + n / 16 + 512;
}

static void axi_timer_drop(ax_loop *loop, axi_node *node) {
    struct axi_timer *heap = loop->timers;
    unsigned i = node->timer - 1, end;
    if (!node->timer) return;
    node->timer = 0;
    end = --loop->timer_count;
    if (i < loop->heaped) {
        unsigned last = --loop->heaped;
        if (i < last) {
            if (i && axi_before(&heap[last], &heap[(i - 1) / 4])) axi_timer_up(heap, i, heap[last]);
            else axi_timer_down(heap, last, i, heap[last]);
        }
        i = last;
    }
    if (i < end) axi_timer_put(heap, i, heap[end]);
}

/* Sets a node's timer; when NULL: takes it off. The room was reserved, by the task's spawn or by ax_timer_start. */
static void axi_timer_set(ax_loop *loop, axi_node *node, const ax_time *when, unsigned seq) {
    struct axi_timer t;
    if (when && node->timer && loop->timers[node->timer - 1].when == *when && node->seq == seq) return;
    axi_timer_drop(loop, node);
    if (!when) return;
    t.when = *when;
    t.node = node;
    node->seq = seq;
    loop->alone = 0;
    if (t.when > loop->horizon) {
        axi_timer_put(loop->timers, loop->timer_count++, t);
        return;
    }
    axi_timer_near(loop, loop->timer_count++, t);
    if (loop->heaped > loop->heaped_most) { /* the horizon is too far: all are the rest, until the next heap is made */
        loop->heaped = 0;
        loop->horizon = INT64_MIN;
    }
}

static int axi_timer_reserve(ax_loop *loop, unsigned more) {
    unsigned need = loop->timer_need + more;
    int rc = need <= loop->timer_cap ? 0 : axi_grow(loop, &loop->timers, &loop->timer_cap, need, sizeof *loop->timers);
    if (rc >= 0) loop->timer_need = need;
    return rc;
}

static void axi_timer_unreserve(ax_loop *loop) { loop->timer_need--; }

static ax_time axi_clock(ax_loop *loop) {
    struct timespec ts;
    if (loop->desc.flags & AX_VIRTUAL_CLOCK) return loop->now;
    if (loop->desc.clock) return loop->now = loop->desc.clock(loop->desc.clock_ctx);
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return loop->now = (ax_time)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static ax_time axi_add(ax_time a, ax_time b) {
    if (b > 0) return a > AX_FOREVER - b ? AX_FOREVER : a + b;
    return a == AX_FOREVER ? a : a < -AX_FOREVER - b ? -AX_FOREVER : a + b;
}
static ax_time axi_from(ax_loop *loop, ax_time time) { return axi_add(axi_clock(loop), time > 0 ? time : 0); }
static int axi_reached(const ax_time *when, const ax_time *now) { return *when <= *now; }
static int axi_any_timer(ax_loop *loop) { /* the next is the heap's first */
    if (!loop->heaped && loop->timer_count) axi_timer_refill(loop);
    return loop->heaped != 0;
}
static ax_time axi_minus(ax_time a, ax_time b) { return b < -AX_FOREVER ? AX_FOREVER : axi_add(a, -b); }
#define AXI_MINUS(a, b) axi_minus((a), (b))
static int axi_no_duration(ax_loop *loop, ax_time time) { /* see AXI_DURATION */
    return time == INT64_MIN && axi_misuse(loop, 1, "a time below a microsecond: a number without AX_SEC or AX_MS?");
}

static ax_time axi_next_when(ax_loop *loop) { return axi_any_timer(loop) ? loop->timers[0].when : AX_FOREVER; }
static axi_node *axi_next_timer(const ax_loop *loop) { return loop->timers[0].node; }
#define AXI_FIRST_WHEN(loop) (&(loop)->timers[0].when)
#define AXI_ARMED(t) ((t)->node.timer)

#if defined(__GNUC__)
#define AXI_FETCH(p) __builtin_prefetch(p)
#else
#define AXI_FETCH(p) ((void)(p))
#endif
static void axi_fetch_next(const ax_loop *loop) {
    uintptr_t next = (uintptr_t)loop->timers[0].node;
    AXI_FETCH((void *)next);
    AXI_FETCH((void *)(next + 64));
    AXI_FETCH((void *)(next + 128)); /* a task's frame */
}
static void axi_fetch_neighbours(const ax_task *t) {
    AXI_FETCH(t->sibling.prev);
    AXI_FETCH(t->sibling.next);
}

#define AXI_NEXT_SEQ(loop) ((loop)->next_seq++) /* the order in which limits and timers are set */
#define AXI_SET_SEQ(x, to) ((x)->entry.seq = (to))
#define AXI_SEQ_OF(e) ((e)->seq)
#define AXI_SET_LIMIT_SEQ(t, seq) ((t)->limit_seq = (seq))
#else /* freestanding */
#define axi_elsewhere(me, other) ((other) != (me)->loop)

/* What keeps a compiler from making memset() or memcpy() of a loop. */
#if defined(__GNUC__)
#define AXI_PLAIN_LOOP __asm__ volatile("")
#else
#define AXI_PLAIN_LOOP ((void)0)
#endif

#define axi_clear axi_zero
AXI_OUTLINE_8 AX_API void axi_zero(void *p, size_t size) {
    unsigned char *byte = (unsigned char *)p;
    while (size--) {
        *byte++ = 0;
        AXI_PLAIN_LOOP;
    }
}

/* ---- Memory: first fit from the arena's gaps, which are in order of their addresses ---- */

struct axi_gap {
    struct axi_gap *next;
    size_t size;
};

static size_t axi_rounded(size_t size) {
    const size_t unit = sizeof(struct axi_gap);
    return (size + unit - 1) / unit * unit;
}

static void axi_free_gap(ax_loop *loop, void *p, size_t size) {
    struct axi_gap *gap = (struct axi_gap *)p, **at = &loop->gaps, *before = NULL;
    gap->size = axi_rounded(size);
    loop->used -= gap->size;
    while (*at && *at < gap) before = *at, at = &before->next;
    gap->next = *at;
    *at = gap;
    if ((char *)gap + gap->size == (char *)gap->next) {
        gap->size += gap->next->size;
        gap->next = gap->next->next;
    }
    if (before && (char *)before + before->size == (char *)gap) {
        before->size += gap->size;
        before->next = gap->next;
    }
}

static void *axi_alloc(ax_loop *loop, size_t size) {
    struct axi_gap **at = &loop->gaps, *gap;
    loop->give_back = axi_free_gap;
    size = axi_rounded(size);
    while ((gap = *at) != NULL && gap->size < size) at = &gap->next;
    if (!gap) return NULL;
    if ((loop->used += size) > loop->peak) loop->peak = loop->used;
    if (gap->size == size) *at = gap->next;
    return (char *)gap + (gap->size -= size);
}
#define axi_free(loop, p, size) (loop)->give_back((loop), (p), (size))

/* ---- Times that wrap around; AX_FOREVER is a time of its own ---- */

#if ASYNCX_TIME_BITS == 16
typedef uint16_t axi_ticks;
#elif ASYNCX_TIME_BITS == 32
typedef uint32_t axi_ticks;
#else
typedef uint64_t axi_ticks;
#endif

/* More than 3/8 of the type's range, which shows in its highest byte. */
static int axi_too_long(ax_time time) { return time >> (ASYNCX_TIME_BITS - 8) >= 0x60 && time != AX_FOREVER; }
#define axi_no_duration(loop, time) axi_too_long(time)

AXI_OUTLINE_8 static ax_time axi_add(ax_time a, ax_time b) {
    axi_ticks sum = (axi_ticks)b;
    if (b != AX_FOREVER) {
        sum += (axi_ticks)a;
        if (sum == (axi_ticks)AX_FOREVER) sum++;
    }
    return (ax_time)sum;
}

#define AXI_MINUS(a, b) ((ax_time)((axi_ticks)(a) - (axi_ticks)(b)))

/* Whether a comes before b, or at the same time. */
AXI_OUTLINE static int axi_reached(const ax_time *a, const ax_time *b) { return AXI_MINUS(*b, *a) >= 0; }

/* ---- Timers: a list in order of their deadlines, ties in the order in which they were armed ---- */

#if AXI_CANCEL
#define AXI_TIMER timer
static const ax_time *axi_task_when(const ax_task *t);
#else /* only sleepers have one, and they are in no other list */
#define AXI_TIMER link
#define axi_task_when(t) (&(t)->u.wake)
#endif

/* The deadline of what is in the list: it stands in what has the timer. */
static const ax_time *axi_when(const axi_link *timer) {
    const void *node = (const char *)timer - offsetof(axi_node, AXI_TIMER);
#if AXI_CANCEL
    if (!AXI_IS_TASK((const axi_node *)node)) return &((const ax_timer *)node)->when;
#endif
    return axi_task_when((const ax_task *)node);
}

static int axi_any_timer(const ax_loop *loop) { return loop->timers.next != &loop->timers; }
static axi_node *axi_next_timer(const ax_loop *loop) {
    return (axi_node *)(void *)((char *)loop->timers.next - offsetof(axi_node, AXI_TIMER));
}
#define AXI_FIRST_WHEN(loop) axi_when((loop)->timers.next)
static ax_time axi_next_when(const ax_loop *loop) { return axi_any_timer(loop) ? *AXI_FIRST_WHEN(loop) : AX_FOREVER; }

#if AXI_CANCEL
static void axi_timer_drop(ax_loop *loop, axi_node *node) {
    axi_link *at = &loop->timers;
    if (!node->timer.next) return;
    while (at->next != &node->timer) at = at->next;
    at->next = node->timer.next;
    node->timer.next = NULL;
}
#else
static void axi_timer_drop(ax_loop *loop, axi_node *node) { loop->timers.next = node->link.next; } /* the first */
#endif

static void axi_timer_set(ax_loop *loop, axi_node *node, const ax_time *when) { /* when NULL: takes it off */
    axi_link *at = &loop->timers;
#if AXI_CANCEL
    axi_timer_drop(loop, node);
    if (!when) return;
#endif
    while (at->next != &loop->timers && axi_reached(axi_when(at->next), when)) at = at->next;
    node->AXI_TIMER.next = at->next;
    at->next = &node->AXI_TIMER;
}
#define axi_timer_set(loop, node, when, seq) axi_timer_set((loop), (node), (when))
#define axi_timer_reserve(loop, more) 0
#define axi_timer_unreserve(loop) ((void)0)
#define AXI_ARMED(t) ((t)->node.timer.next != NULL)
#define axi_fetch_next(loop) ((void)0)
#define axi_fetch_neighbours(t) ((void)0)
#define AXI_NEXT_SEQ(loop) 0
#define AXI_SET_SEQ(x, to) ((void)0)
#define AXI_SEQ_OF(e) 0
#define AXI_SET_LIMIT_SEQ(t, seq) ((void)(seq))

AXI_OUTLINE_8 static ax_time axi_clock(ax_loop *loop) { return loop->now = ax_port_now(); }

/* So much later than now: one more, as the tick that is running has begun already. Without delay: what has been due. */
static ax_time axi_from(ax_loop *loop, ax_time time) {
    ax_time next = AXI_MINUS(axi_clock(loop), -1);
    return axi_add(next, time > 0 ? time : -2);
}
#endif

/* ---- 4 The model: waiting and waking ---- */

#if AXI_CANCEL
/* Whether one of the task's limits comes before this time, or with it. */
AXI_OUTLINE static int axi_limit_by(const ax_task *t, const ax_time *when) {
    if (!(t->node.flags & AXI_BOUND)) return 0;
    return axi_reached(&t->limit, when);
}

/* A task has one timer, at the earliest of its wake-up and its open limits; a limit goes before a sleep of the same time. */
static const ax_time *axi_task_when(const ax_task *t) {
    if (t->node.flags & AXI_SLEEPS && !axi_limit_by(t, &t->u.wake)) return &t->u.wake;
    return t->node.flags & AXI_BOUND ? &t->limit : NULL;
}

static void axi_arm(ax_task *t) {
    ax_loop *loop = t->loop;
    const ax_time *when = axi_task_when(t);
    axi_timer_set(loop, &t->node, when, when == &t->u.wake ? loop->next_seq++ : t->limit_seq);
}
#endif

static void axi_queue_as(ax_task *t, int state, int status) {
    (void)axi_foreign(t->loop); /* says so: what the wake was part of can't be refused any more */
    t->node.state = (unsigned char)state;
    t->rc = status;
    axi_enqueue_task(t->loop, &t->node.link);
}
/* Queues it with a result: AXI_READY if its next step can take that as it is, without axi_deliver. */
AXI_OUTLINE static void axi_queue_task(ax_task *t, int status) {
    int as_it_is = AXI_FAST && status >= 0 && !(t->frame->entry.flags & (AXI_LIMITED | AXI_UNWINDING));
    axi_queue_as(t, as_it_is ? AXI_READY : AXI_QUEUED, status);
}

#if AXI_CANCEL
/* What a wait ends with: if it was told of a cancel, it met that, or its result beat it and the request waits for the next. */
static int axi_answer(ax_task *t, int status) {
    if (!(t->node.flags & AXI_ASKED)) return status;
    t->node.flags &= (unsigned char)~AXI_ASKED;
    if (status == AX_ECANCELED) return AXI_OWN;
    if (status != AXI_OWN && t->node.count) t->node.flags |= AXI_UNMET;
    return status;
}

#endif

/* Ends a parked task's wait; whoever calls has taken it off its list. */
static void axi_wake(ax_task *t, int status) {
#if AXI_CANCEL
    status = axi_answer(t, status);
    if (t->node.flags & AXI_SLEEPS) {
        t->node.flags &= (unsigned char)~AXI_SLEEPS;
        if (AXI_ARMED(t)) axi_arm(t);
    }
#endif
    axi_queue_task(t, status);
}

AX_API int ax_wake(ax_task *t, int status) {
    if (axi_foreign(t->loop)) return AX_EPERM;
    if (t->node.state == AXI_PARKED) {
        if (t->node.bad != AXI_BY_USER)
            return axi_misuse(t->loop, AX_EALREADY, "ax_wake of a task that waits for something else by now");
        axi_wake(t, status);
        return 0;
    }
    if (t->node.state != AXI_RUNNING || t->node.flags & AXI_WOKEN) return AX_EALREADY;
    t->node.flags |= AXI_WOKEN;
    t->rc = status;
    return 0;
}

#if AXI_CANCEL
/* Asks the wait of a parked task to end. */
static void axi_ask(ax_task *t) {
    int stays = t->forget && t->forget(t, t->obj) == AX_STAY;
    if (!stays && t->node.state == AXI_PARKED) axi_wake(t, AXI_OWN); /* unless the hook has woken it */
}

/* Meets a request: the wait that is on, or was about to begin, is dropped. */
static void axi_interrupt(ax_task *t) {
    t->node.flags = (unsigned char)((t->node.flags & ~(AXI_UNMET | AXI_PRESSED)) | AXI_ASKED);
    axi_ask(t);
}

#if AXI_GENERATORS
static ax_forget axi_forget_item, axi_forget_close;
#endif

/* Every request to cancel is made here: by hand, by a group, by a limit. */
static void axi_request(ax_task *t) {
    if (t->node.state == AXI_DONE) return;
    if (t->node.count != AXI_MOST_REQUESTS) t->node.count++;
    if (t->node.state == AXI_PARKED) {
        if (!(t->node.flags & AXI_ASKED)) axi_interrupt(t);
#if AXI_GENERATORS
        else if ((t->forget == axi_forget_item || t->forget == axi_forget_close) && !(t->node.flags & AXI_WOKEN)) {
            t->node.flags |= AXI_WOKEN; /* they hear of each, but only once of one: generators may wait in a ring */
            axi_ask(t);
            t->node.flags &= (unsigned char)~AXI_WOKEN;
        }
#endif
    } else if (t->node.state == AXI_FRESH) {
        t->rc = AXI_OWN;
    } else if (t->node.state == AXI_RUNNING || t->rc != AXI_OWN) {
        t->node.flags |= AXI_UNMET;
    }
}

static void axi_expire(ax_task *t);
AXI_OUTLINE static void axi_arm_undue(ax_task *t) { /* but a limit that is due already expires */
    if (axi_limit_by(t, &t->loop->now)) axi_expire(t);
    axi_arm(t);
}
#endif

static ax_op axi_park(ax_task *me, ax_forget *forget, void *obj) {
    if (AXI_CHECKS && me->node.state != AXI_RUNNING)
        return ax_done(axi_misuse(me->loop, AX_EBUSY, "a task parks while it is parked, or from outside its step"));
#if AXI_CANCEL
    me->forget = forget;
    me->obj = obj;
#else
    (void)forget;
    (void)obj;
#endif
    if (me->node.flags & AXI_WOKEN) { /* the event came while the op was registering */
        me->node.flags &= (unsigned char)~(AXI_WOKEN | AXI_SLEEPS);
        axi_queue_task(me, me->rc);
        return axi_op(AXI_PENDING);
    }
    me->node.state = AXI_PARKED;
#if AXI_CANCEL
    if (AXI_FAST && !(me->node.flags & (AXI_BOUND | AXI_UNMET | AXI_SLEEPS))) return axi_op(AXI_PENDING);
    axi_arm_undue(me);
    if ((me->node.flags & (AXI_UNMET | AXI_ASKED)) == AXI_UNMET && me->node.state == AXI_PARKED) axi_interrupt(me);
#else
    if (me->node.flags & AXI_SLEEPS) axi_timer_set(me->loop, &me->node, &me->u.wake, 0);
#endif
    return axi_op(AXI_PENDING);
}

/* The same for ops of others: only their waits may be ended by ax_wake. */
AX_API ax_op ax_park(ax_task *me, ax_forget *forget, void *obj) {
    if (me->node.state == AXI_RUNNING) me->node.bad = AXI_BY_USER; /* first: the hook of one that is to be cancelled may wake it */
    return axi_park(me, forget, obj);
}

/* Queues a running task behind the others with a result that stands. */
static void axi_requeue(ax_task *t, int status) {
    axi_queue_task(t, status);
#if AXI_CANCEL
    if (!AXI_FAST || t->node.flags & AXI_BOUND) axi_arm_undue(t);
#endif
}

#if AXI_CANCEL
/* The same for one that had its share without a wait: if it is to be cancelled, now or after an AX_FINALLY, the next op that may
   be refuses. */
static void axi_give_way(ax_task *t, int status) {
    int asked = t->node.count;
    if (AXI_FAST && asked) { /* freestanding, one that was asked long ago may meet another request early */
        const axi_entry *e;
        asked = t->node.flags & AXI_UNMET;
        for (e = t->top; e && !asked; e = e->up) asked = e->flags & AXI_PUT_OFF;
    }
    if (asked) t->node.flags |= AXI_PRESSED;
    axi_requeue(t, status);
}
#endif

/* An op's first line. A task that never waits, and so never meets its cancel, meets it here after its share of awaits. */
AXI_SLOW static int axi_refuses(ax_task *me) {
    if (AXI_CHECKS && me->node.state != AXI_RUNNING)
        return axi_misuse(me->loop, AX_EBUSY, "an op begins while the one before it still waits: a forgotten await?");
    me->node.flags &= (unsigned char)~AXI_WOKEN; /* a wake that came before this op is not for it */
    if ((me->node.flags & (AXI_PRESSED | AXI_UNMET)) != (AXI_PRESSED | AXI_UNMET)) return 0;
    me->node.flags &= (unsigned char)~(AXI_PRESSED | AXI_UNMET);
    return AXI_OWN;
}
#define AXI_MAY_BEGIN(me) \
    (AXI_FAST && (me)->node.state == AXI_RUNNING && !((me)->node.flags & (AXI_PRESSED | AXI_WOKEN))) /* nearly always */
#if AXI_CANCEL
#define AXI_REFUSE(me)                                         \
    do {                                                       \
        int axi_why = AXI_MAY_BEGIN(me) ? 0 : axi_refuses(me); \
        if (axi_why) return ax_done(axi_why);                  \
    } while (0)
#else
#define AXI_REFUSE(me) ((void)axi_refuses(me))
#endif

#if AXI_CANCEL
static int axi_forget_list(ax_task *t, void *list) {
    axi_take((axi_list *)list, &t->node.link);
    return 0;
}
#else
#define axi_forget_list NULL
#endif
/* Parks the task in a primitive's list; the usual hook takes it off. */
static ax_op axi_wait_in(ax_task *me, axi_list *list) {
    if (axi_dead_stack(me->loop, list)) return ax_done(AX_EFAULT);
    axi_push(list, &me->node.link);
    return axi_park(me, axi_forget_list, list);
}

#if AXI_CANCEL
AXI_OUTLINE_8 static void axi_queue_callback(ax_loop *loop, ax_callback *c) {
    c->list = &loop->ready;
    axi_enqueue(loop, &c->node.link);
}
#endif
/* Wakes tasks and queues callbacks that wait for one thing, in order. how: their node.bad. */
static void axi_wake_with(axi_list *list, int status, int how) {
    while (list->ring) {
        axi_node *node = (axi_node *)(void *)axi_pop(list);
#if AXI_CANCEL
        if (!AXI_IS_TASK(node)) {
            axi_queue_callback(((ax_callback *)(void *)node)->loop, (ax_callback *)(void *)node);
            continue;
        }
#endif
        axi_wake((ax_task *)(void *)node, status);
        node->bad = (unsigned char)how;
    }
}
static void axi_wake_all(axi_list *list, int status) { axi_wake_with(list, status, 0); }

#if AXI_CANCEL
/* ---- Scopes ---- */

/* Whether a scope may be opened: it is not open, and outlives the step. */
static int axi_openable(ax_task *t, const axi_entry *e) {
    if (e->flags & AXI_LIVE) return axi_misuse(t->loop, AX_EBUSY, "a scope is opened twice, or was not zeroed");
    if (AXI_CHECKS && t->node.state != AXI_RUNNING)
        return axi_misuse(t->loop, AX_EPERM, "a scope is opened in a task that does not run");
    return axi_dead_stack(t->loop, e) ? AX_EFAULT : 0;
}

/* Notes the requests that a scope opened now did not have to meet. */
static void axi_set_base(axi_entry *e, const ax_task *t) {
    axi_count base = t->node.count;
    if (t->node.flags & AXI_UNMET) base--; /* there is one, then */
    e->base = base;
}

static void axi_open(ax_task *t, axi_entry *e, int kind, axi_close *close) {
    ((axi_scope *)(void *)e)->close = close;
    e->kind = (unsigned char)kind;
    e->flags = AXI_LIVE;
    axi_set_base(e, t);
    e->up = t->top;
    t->top = e;
}

AXI_OUTLINE static void axi_shut(ax_task *t, axi_entry *e) { /* usually the top one; one closed early may be deeper */
    axi_entry **at = &t->top;
    while (*at != e) at = &(*at)->up;
    *at = e->up;
    e->kind = 0;
    e->flags = 0;
}

#ifndef ASYNCX_FREESTANDING
static void axi_signal_taken_back(ax_loop *loop);
#endif

/* A request was taken back. Scopes that were opened after it was met count it in their base; they must not any more, or a later
   one from outside would look old to them. Which requests are meant when several stand is not known: the newest. */
static void axi_taken_back(ax_task *t, axi_count above) {
    axi_entry *e;
    for (e = t->top; e; e = e->up)
        if (e->base > above) e->base--;
#ifndef ASYNCX_FREESTANDING
    if (!t->node.count && t == t->loop->main && t->loop->signalled) axi_signal_taken_back(t->loop);
#endif
}

/* A scope that made a request takes it back. Whether requests from outside are left that came after its entry. */
static int axi_take_back(ax_task *t, axi_count base) {
    if (t->node.count) t->node.count--;
    axi_taken_back(t, base);
    if (t->node.count > base) return 1;
    t->node.flags &= (unsigned char)~(AXI_UNMET | AXI_PRESSED);
    return 0;
}

/* The innermost frame has met a request that does not end it. It is the caller's, too: unless only scopes that the frame has open
   itself have made requests since. */
AXI_OUTLINE static void axi_put_off(const ax_task *t) {
    axi_entry *e;
    axi_count left = t->node.count, base = 0;
    for (e = t->top; e->kind != AXI_FRAME; e = e->up) {
        if (!(e->flags & AXI_EXPIRED)) continue;
        left--;
        base = e->base;
    }
    if (left > base && ((ax_frame *)(void *)e)->status != AXI_OWN) e->flags |= AXI_PUT_OFF; /* else it leaves with that */
}

/* ---- 8 Limits ---- */

/* The deadline of an entry that is a limit and has not fired, or NULL. */
static const ax_time *axi_limit_of(const axi_entry *e) {
    const ax_time *when;
    if (e->flags & AXI_EXPIRED) return NULL;
    if (e->kind == AXI_FRAME && e->flags & AXI_LIMITED) when = &((const ax_frame *)(const void *)e)->within;
    else if (e->kind == AXI_LIMIT) when = &((const ax_timeout *)(const void *)e)->when;
    else return NULL;
    return *when == AX_FOREVER ? NULL : when;
}

static void axi_limit_add(ax_task *t, const axi_entry *e, int outer) { /* if it is one; of equal ones the outer binds */
    const ax_time *when = axi_limit_of(e);
    if (!when || (axi_limit_by(t, when) && !(AXI_FAST && outer && *when == t->limit))) return;
    t->limit = *when;
    t->node.flags |= AXI_BOUND;
    AXI_SET_LIMIT_SEQ(t, AXI_SEQ_OF(e));
}

static void axi_limits_renew(ax_task *t) { /* after one was closed, moved or has fired */
    axi_entry *e;
    t->node.flags &= (unsigned char)~AXI_BOUND;
    for (e = t->top; e; e = e->up) axi_limit_add(t, e, 1);
    if (AXI_ARMED(t)) axi_arm(t);
}

/* Every limit that is due makes its request; the outermost will report. */
AXI_SLOW static void axi_expire(ax_task *t) {
    axi_entry *e;
    for (e = t->top; e; e = e->up) {
        const ax_time *when = axi_limit_of(e);
        if (!when || !axi_reached(when, &t->loop->now)) continue;
        e->flags |= AXI_EXPIRED;
        if (e->kind == AXI_LIMIT) ((ax_timeout *)(void *)e)->expired = 1;
        axi_request(t);
    }
    axi_limits_renew(t);
}

/* The code that a limit bound has ended with this status: what the limit makes of it. It binds no more. */
AXI_OUTLINE_8 static int axi_limit_end(ax_task *t, axi_entry *e, int status) {
    if (e->flags & AXI_EXPIRED && !axi_take_back(t, e->base) && status == AXI_OWN) status = AX_ETIMEDOUT;
    e->flags |= AXI_EXPIRED;
    if (t->node.flags & AXI_BOUND) axi_limits_renew(t);
    return status;
}

AX_API int axi_within(ax_task *me, ax_frame *f, ax_time time) {
    ax_time at, *when = AXI_CHECKS ? &at : &me->u.wake; /* which is free while the task runs, unless it forgot to await an op */
    if (time == AX_FOREVER) return 1; /* none */
    if (axi_no_duration(me->loop, time)) return 0;
    *when = axi_from(me->loop, time);
    if (f->entry.flags & AXI_LIMITED) { /* AX_WITHIN of AX_WITHIN: the earlier one binds */
        if (!(f->entry.flags & AXI_EXPIRED) && axi_reached(&f->within, when)) return 1;
    } else {
        f->entry.flags |= AXI_LIMITED;
        axi_set_base(&f->entry, me);
    }
    f->within = *when;
    AXI_SET_SEQ(f, AXI_NEXT_SEQ(me->loop));
    axi_limit_add(me, &f->entry, 0);
    return 1;
}

AXI_SLOW static int axi_within_end(ax_task *t, ax_frame *f, int status) {
    int rc = axi_limit_end(t, &f->entry, status);
    f->entry.flags &= (unsigned char)~(AXI_LIMITED | AXI_EXPIRED | AXI_BY_LIMIT);
    if (rc != status) f->entry.flags |= AXI_BY_LIMIT;
    return rc;
}

static int axi_close_timeout(ax_task *t, axi_entry *e, int status) {
    status = axi_limit_end(t, e, status);
    axi_shut(t, e);
    return status;
}

AX_API int (ax_timeout_open)(ax_task *me, ax_timeout *l, ax_time time) {
    int rc = axi_no_duration(me->loop, time) ? AX_EINVAL : axi_openable(me, &l->entry);
    if (rc < 0) return rc;
    axi_open(me, &l->entry, AXI_LIMIT, axi_close_timeout);
    l->when = axi_from(me->loop, time);
    l->expired = 0;
    l->task = me;
    AXI_SET_SEQ(l, AXI_NEXT_SEQ(me->loop));
    axi_limit_add(me, &l->entry, 0);
    return 0;
}

AX_API int ax_timeout_reschedule(ax_timeout *l, ax_time when) {
    if (!(l->entry.flags & AXI_LIVE) || l->expired) return AX_EPERM;
    l->when = when;
#ifdef ASYNCX_FREESTANDING
    axi_clock(l->task->loop); /* without timers nobody has looked at it */
#endif
    AXI_SET_SEQ(l, AXI_NEXT_SEQ(l->task->loop));
    axi_limits_renew(l->task);
    if (l->task->node.state != AXI_RUNNING) axi_arm(l->task);
    return 0;
}

AX_API int ax_timeout_close(ax_timeout *l) {
    if (!(l->entry.flags & AXI_LIVE)) return AX_EPERM;
    if (AXI_FAST && l->expired && l->task->node.state != AXI_RUNNING) return 1; /* its request is on its way: the frame closes it */
    axi_close_timeout(l->task, &l->entry, 0);
    return l->expired;
}

static int axi_close_defer(ax_task *t, axi_entry *e, int status) {
    ax_deferred *d = (ax_deferred *)(void *)e;
    axi_shut(t, e);
    d->fn(d->arg);
    return status;
}

AX_API int ax_defer(ax_task *me, ax_deferred *d, void (*fn)(void *), void *arg) {
    int rc = axi_openable(me, &d->entry);
    if (rc < 0) return rc;
    if (axi_dead_stack(me->loop, arg)) return AX_EFAULT;
    axi_open(me, &d->entry, AXI_DEFER, axi_close_defer);
    d->fn = fn;
    d->arg = arg;
    d->task = me;
    return 0;
}

AX_API int ax_defer_stop(ax_deferred *d) {
    if (!(d->entry.flags & AXI_LIVE)) return 0;
    axi_shut(d->task, &d->entry);
    return 1;
}

/* ---- 7 Groups ---- */

/* Cancels the children in spawn order. Groups of children that join are put on a list, not on the C stack. */
static void axi_group_abort(ax_group *g) {
    ax_loop *loop = g->loop;
    if (g->entry.flags & AXI_ABORTING) return;
    g->entry.flags |= AXI_ABORTING;
    axi_push(&loop->aborts, &g->link);
    if (loop->aborting) return;
    loop->aborting = 1;
    while (loop->aborts.ring) {
        axi_link *child;
        g = (ax_group *)(void *)((char *)axi_pop(&loop->aborts) - offsetof(ax_group, link));
        for (child = axi_head(&g->children); child; child = axi_after(&g->children, child))
            axi_request(AXI_TASK_OF(sibling, child));
    }
    loop->aborting = 0;
}

/* An abort that the body has to hear of: cancels the owner too, unless it waits for the group already. */
AXI_OUTLINE_8 static void axi_group_fail(ax_group *g) {
    axi_group_abort(g);
    if (!g->owner || g->entry.flags & (AXI_ASKED_OWNER | AXI_AWAITED | AXI_NEXTED | AXI_ENDING)) return;
    g->entry.flags |= AXI_ASKED_OWNER;
    axi_request(g->owner);
}

AXI_OUTLINE static void axi_group_take_back(ax_group *g) {
    if (!(g->entry.flags & AXI_ASKED_OWNER)) return;
    g->entry.flags &= (unsigned char)~AXI_ASKED_OWNER;
    axi_take_back(g->owner, g->entry.base);
}

static axi_close axi_close_group;

AX_API int ax_group_open(ax_task *me, ax_group *g, unsigned flags) {
    int rc = axi_openable(me, &g->entry);
    if (rc >= 0 && (flags > 15 || (flags & (AX_GROUP_COLLECT | AX_GROUP_RACE)) == (AX_GROUP_COLLECT | AX_GROUP_RACE)))
        rc = axi_misuse(me->loop, AX_EINVAL, "ax_group_open with flags that do not go together");
    if (rc < 0) return rc;
    axi_clear(g, sizeof *g);
    g->loop = me->loop;
    g->owner = me;
    g->flags = (unsigned char)(flags | AXI_OPEN);
    if (flags & AX_GROUP_RACE) g->result = AX_ECANCELED; /* nobody has won */
    axi_open(me, &g->entry, AXI_GROUP, axi_close_group);
    return 0;
}

static int axi_task_release(ax_task *t);

#if AXI_KEEP
static void axi_group_drop_handed(ax_group *g) {
    ax_task *t = g->handed;
    g->handed = NULL;
    if (t) {
        t->node.flags &= (unsigned char)~AXI_KEPT;
        axi_task_release(t);
    }
}

static void axi_group_drop_ended(ax_group *g) {
    axi_group_drop_handed(g);
    while (g->ended.ring) {
        g->handed = AXI_TASK_OF(sibling, axi_pop(&g->ended));
        axi_group_drop_handed(g);
    }
}
#else
#define axi_group_drop_ended(g) ((void)0)
#endif

/* A race that was won has no error, nor has one that was cancelled before it was decided. */
static int axi_group_fault(const ax_group *g) {
    return g->flags & AX_GROUP_RACE && g->entry.flags & AXI_ABORTING ? 0 : g->error;
}

/* All children have ended: closes the group. What its owner gets who came with this status. */
static int axi_group_end(ax_group *g, int status) {
    ax_task *t = g->owner;
    int outside = t->node.count > g->entry.base;
    if (axi_group_fault(g)) {
        if (outside) t->node.flags |= AXI_UNMET; /* the error beats the cancel, which stays due */
        status = g->error;
    } else if (!outside && status == AXI_OWN && g->entry.flags & AXI_BY_HAND) {
        status = 0;
    }
    axi_group_drop_ended(g);
    if (AXI_FAST) t->node.bad = AXI_HANDED_ON;
    g->flags = 0;
    axi_shut(t, &g->entry);
    return status;
}

static int axi_forget_join(ax_task *t, void *group) {
    (void)t;
    axi_group_abort((ax_group *)group);
    return AX_STAY;
}

static int axi_group_mine(ax_task *me, const ax_group *g) {
    if (!(g->flags & AXI_OPEN)) return axi_misuse(me->loop, AX_EPERM, "a group is awaited that is not open");
    return g->owner == me ? 0 : axi_misuse(me->loop, AX_EPERM, "a group is awaited by another task than its owner");
}

AX_API ax_op ax_group_join(ax_task *me, ax_group *g) {
    int rc = axi_group_mine(me, g);
    if (rc < 0) return ax_done(rc);
    axi_group_take_back(g);
    if (g->children.ring) me->node.flags &= (unsigned char)~AXI_PRESSED; /* what is to cancel it cancels the children first */
    AXI_REFUSE(me);
    if (!g->children.ring) return ax_done(axi_group_end(g, g->result));
    g->entry.flags |= AXI_AWAITED;
    return axi_park(me, axi_forget_join, g);
}

#if AXI_KEEP
static int axi_forget_next(ax_task *t, void *group) {
    (void)t;
    ((ax_group *)group)->entry.flags &= (unsigned char)~AXI_NEXTED;
    return 0;
}

static int axi_group_hand(ax_group *g, ax_task **child) {
    if (!g->ended.ring) return axi_group_fault(g);
    *child = g->handed = AXI_TASK_OF(sibling, axi_pop(&g->ended));
    return 1;
}

AX_API ax_op ax_group_next(ax_task *me, ax_group *g, ax_task **child) {
    int rc = axi_group_mine(me, g);
    if (rc >= 0 && !(g->flags & AX_GROUP_KEEP))
        rc = axi_misuse(me->loop, AX_EPERM, "ax_group_next on a group without AX_GROUP_KEEP");
    if (rc < 0) return ax_done(rc);
    axi_group_take_back(g);
    AXI_REFUSE(me);
    axi_group_drop_handed(g);
    if (g->ended.ring || !g->children.ring) return ax_done(axi_group_hand(g, child));
    if (axi_dead_stack(me->loop, child)) return ax_done(AX_EFAULT);
    g->entry.flags |= AXI_NEXTED;
    me->u.data = child;
    return axi_park(me, axi_forget_next, g);
}
#endif

AX_API int ax_group_cancel(ax_group *g) {
    if (!(g->flags & AXI_OPEN)) return AX_EPERM;
    g->entry.flags |= AXI_BY_HAND;
    axi_group_fail(g);
    return 0;
}

/* A child failed, or could not be spawned. */
static void axi_group_error(ax_group *g, int status) {
    if (g->flags & AX_GROUP_COLLECT || g->error) return;
    g->error = status;
    if (!(g->flags & AX_GROUP_RACE)) axi_group_fail(g); /* another child may still win */
}

/* A child has ended: what follows from it by the group's rules. */
static void axi_group_ended(ax_group *g, ax_task *t, int status) {
    if (status >= 0) {
        if (g->flags & AX_GROUP_RACE && g->result < 0) {
            g->result = status;
            axi_group_abort(g);
        }
    } else if (status != AX_ECANCELED) {
        if (g->flags & AX_GROUP_COLLECT) g->result++;
        else axi_group_error(g, status);
    }
#if AXI_KEEP
    if (g->flags & AX_GROUP_KEEP) {
        t->node.flags |= AXI_KEPT;
        axi_push(&g->ended, &t->sibling);
    }
    if (g->entry.flags & AXI_NEXTED) {
        if (g->children.ring && !g->ended.ring) return;
        g->entry.flags &= (unsigned char)~AXI_NEXTED;
        axi_wake(g->owner, axi_group_hand(g, (ax_task **)g->owner->u.data));
        return;
    }
#endif
    if (!(g->entry.flags & AXI_AWAITED) || g->children.ring) return;
    g->entry.flags &= (unsigned char)~AXI_AWAITED;
    t = g->owner;
    status = t->node.flags & AXI_ASKED ? AXI_OWN : 0;
    if (!(g->entry.flags & AXI_ENDING)) {
        t->node.flags &= (unsigned char)~AXI_ASKED;
        status = axi_group_end(g, status ? status : g->result);
    }
    axi_wake(t, status);
}

/* The group as a scope of a body that is left. */
static int axi_close_group(ax_task *t, axi_entry *e, int status) {
    ax_group *g = (ax_group *)(void *)e;
    if (!(e->flags & AXI_ENDING)) {
        e->flags |= AXI_ENDING;
        axi_group_take_back(g);
        if (status < 0 && status != AXI_OWN && !g->error) g->error = status;
        if (g->children.ring && (status < 0 || g->flags & AX_GROUP_BACKGROUND)) axi_group_abort(g);
    }
    if (!g->children.ring) return axi_group_end(g, status);
    if (status < 0 && t->node.flags & AXI_UNMET) axi_put_off(t); /* the error beats it */
    e->flags |= AXI_AWAITED;
    return axi_park(t, axi_forget_join, g).axi;
}
#endif /* AXI_CANCEL */

/* ---- 5 Running tasks ---- */

AX_API ax_op axi_return(ax_task *me, int status) {
    /* a task that was asked to cancel and leaves with that number passes its cancellation on */
    me->node.bad = AXI_CANCEL && status == AX_ECANCELED && AXI_REQUESTS(me) ? AXI_CANCELS : 0;
    if (AXI_FAST && me->rc >= 0) me->frame->entry.flags &= (unsigned char)~AXI_BY_LIMIT; /* of an await before the last */
    me->rc = status <= AXI_OWN ? AX_EINVAL : status;
    return axi_op(AXI_LEFT);
}

AX_API ax_op axi_check(ax_task *me) {
    me->node.bad = AXI_FAILED;
    if (AXI_FAST) me->frame->entry.flags &= (unsigned char)~AXI_BY_LIMIT; /* of an await before */
    if (me->rc <= AXI_OWN) me->rc = AX_EINVAL;
    return axi_op(AXI_LEFT);
}

AXI_OUTLINE AX_API ax_op axi_lost(ax_task *me) {
    if (AXI_AT_OF(me->frame) == AXI_AT_FINALLY) return axi_op(AXI_ENDED); /* there is no AX_FINALLY */
    axi_misuse(me->loop, 0, "a resume point is lost: an await inside a switch of yours, in the switch form");
    me->node.bad = 0;
    me->rc = AX_EFAULT;
    return axi_op(AXI_LEFT);
}

static void axi_frame_init(ax_frame *f, const struct axi_fn *fn, int owned) {
    f->fn = fn;
#if AXI_CANCEL
    f->entry.kind = AXI_FRAME;
#endif
    f->entry.flags = (unsigned char)(AXI_LIVE | (owned ? AXI_OWNED : 0));
}

AX_API void *axi_new(ax_task *me, size_t size) { return axi_alloc(me->loop, size); }

AX_API void *axi_reuse(ax_frame *f) { return f->entry.flags & AXI_LIVE ? NULL : f; }

AX_API ax_op axi_call(ax_task *me, ax_frame *f, const struct axi_fn *fn, int owned) {
#if AXI_CANCEL
    ax_frame *caller = me->frame;
    int status = 0;
#endif
    if (!f) return ax_done(owned ? AX_ENOMEM : axi_misuse(me->loop, AX_EBUSY, "AX_CALL_IN into a frame that is running"));
    if (axi_dead_stack(me->loop, f) || axi_dead_argument(me->loop, f, fn)) {
        if (owned) axi_free(me->loop, f, axi_size_of(fn));
        return ax_done(AX_EFAULT);
    }
    axi_frame_init(f, fn, owned);
#if AXI_CANCEL
    if (caller->entry.flags & AXI_LIMITED && axi_reached(&caller->within, &me->loop->now)) {
        axi_expire(me); /* its limit is due already: it never starts */
        me->node.flags |= AXI_PRESSED;
    }
    if (me->node.flags & AXI_PRESSED) status = axi_refuses(me);
    f->entry.up = me->top;
    me->top = &f->entry;
    me->frame = f;
    if (status == AXI_OWN) {
        AXI_AT_OF(f) = AXI_AT_FINALLY;
        me->rc = AX_ECANCELED;
        me->node.bad = AXI_CANCELS;
        return axi_op(AXI_LEFT);
    }
#else
    f->entry.up = &me->frame->entry;
    me->frame = f;
#endif
    return axi_op(AXI_CALLED);
}

AX_API ax_frame *axi_first_frame(const ax_task *t) {
    axi_entry *e = &t->frame->entry;
    if (t->node.state != AXI_DONE)
        while (e->up) e = e->up;
    return (ax_frame *)(void *)e;
}

#if ASYNCX_DEBUG && !defined(ASYNCX_FREESTANDING)
AX_API ax_frame *axi_frame_of(const ax_task *t, const struct axi_fn *fn) {
    ax_frame *f = axi_freed(t) ? NULL : axi_first_frame(t);
    if (!f || f->fn == fn || strcmp(f->fn->name, fn->name) == 0) return f; /* one in a header is there for each file */
    axi_misuse(t->loop, 0, "AX_FRAME of a task that was spawned with another function");
    return NULL;
}
#endif

/* Whether a task may be spawned into this group. */
static int axi_spawnable(ax_group *g) {
#if AXI_CANCEL
    if (!(g->flags & AXI_OPEN)) return axi_misuse(g->loop, 0, "AX_SPAWN into a group that is not open");
    return !(g->entry.flags & AXI_ABORTING) && !axi_foreign(g->loop);
#else
    return g->loop != NULL;
#endif
}

static void axi_spawn_failed(ax_group *g, int status) {
#if AXI_CANCEL
    axi_group_error(g, status);
#else
    (void)g, (void)status;
#endif
}

static void axi_task_prepare(ax_group *g, ax_task *t, int flags) {
    t->node.flags = (unsigned char)flags;
    t->loop = g->loop;
#if AXI_CANCEL
    t->group = g;
#endif
}

/* In storage of the user's. What the spawn may need later is reserved. */
AXI_OUTLINE AX_API ax_frame *axi_task_in(ax_group *g, ax_task *t, ax_frame *f) {
    if (!axi_spawnable(g)) return NULL;
    if (axi_dead_stack(g->loop, t)) {
        axi_spawn_failed(g, AX_EFAULT);
        return NULL;
    }
    if ((t->node.state != AXI_NEW_ && t->node.state != AXI_DONE) || (AXI_CANCEL && t->node.flags & AXI_KEPT)) {
        axi_misuse(g->loop, AX_EBUSY, "AX_SPAWN_IN into the storage of a task that runs, or was not zeroed");
        return NULL;
    }
    if (axi_timer_reserve(g->loop, 1) < 0) {
        axi_spawn_failed(g, AX_ENOMEM);
        return NULL;
    }
    axi_task_prepare(g, t, 0);
    return f;
}

/* Memory for a task and its first frame: one block. */
AX_API ax_frame *axi_task_new(ax_group *g, size_t size) {
    ax_task *t;
    if (!axi_spawnable(g)) return NULL;
    if (axi_timer_reserve(g->loop, 1) >= 0) {
        if ((t = (ax_task *)axi_alloc(g->loop, AXI_TASK_SIZE + size)) != NULL) {
            axi_task_prepare(g, t, AXI_HEAP);
            return (ax_frame *)(void *)((char *)t + AXI_TASK_SIZE);
        }
        axi_timer_unreserve(g->loop);
    }
    axi_spawn_failed(g, AX_ENOMEM);
    return NULL;
}

static void axi_task_init(ax_task *t, ax_frame *f, const struct axi_fn *fn) { /* loop, group and flags are set */
    axi_frame_init(f, fn, 0);
    AXI_SET_KIND(&t->node, AXI_TASK);
    t->node.state = AXI_FRESH;
    t->node.bad = 0;
    t->rc = 0;
    t->frame = f;
#if AXI_CANCEL
#ifndef ASYNCX_FREESTANDING
    t->node.timer = 0;
#else
    t->node.timer.next = NULL;
#endif
    t->node.count = 0;
    t->node.refs = 0;
    t->top = &f->entry;
    t->waiters.ring = NULL;
#endif
}

#ifndef ASYNCX_FREESTANDING
static ax_task *axi_not_started(ax_task *t, const struct axi_fn *fn) {
    axi_group_error(t->group, AX_EFAULT);
    axi_timer_unreserve(t->loop);
    if (t->node.flags & AXI_HEAP) axi_free(t->loop, t, AXI_TASK_SIZE + axi_size_of(fn));
    return NULL;
}
#else
#define axi_not_started(t, fn) NULL
#endif

AX_API ax_task *axi_task_start(ax_task *t, ax_frame *f, const struct axi_fn *fn) {
    if (!f) return NULL;
    if (!t) t = (ax_task *)(void *)((char *)f - AXI_TASK_SIZE); /* one block */
    if (axi_dead_argument(t->loop, f, fn)) return axi_not_started(t, fn);
    axi_task_init(t, f, fn);
#if AXI_CANCEL
    axi_push(&t->group->children, &t->sibling);
    if (t->group->entry.flags & AXI_ABORTING) axi_request(t); /* since its arguments were evaluated: it never starts */
#endif
    AXI_TASKS(t->loop, ++);
    axi_enqueue_task(t->loop, &t->node.link);
    return t;
}

#ifndef ASYNCX_FREESTANDING
static void axi_tell_unheard(ax_task *t) {
    ax_loop *loop = t->loop;
    int unheard = t->node.bad == AXI_UNHEARD, state = loop->state;
    t->node.bad = 0; /* first: the hook may let go of the task, or use its storage again */
    if (!unheard || !loop->desc.unheard) return;
    if (state == AXI_IDLE) loop->state = AXI_IN_RUN; /* but not run or close the loop, by which the task would go */
    loop->desc.unheard(loop->desc.unheard_ctx, t, t->rc);
    loop->state = state;
}
#else
#define axi_tell_unheard(t) ((void)0)
#endif

#if AXI_CANCEL
static int axi_task_release(ax_task *t) { /* frees it, if nobody needs it any more: whether it is gone */
    if (t->node.state != AXI_DONE || t->node.refs || (t->node.flags & (AXI_HEAP | AXI_KEPT)) != AXI_HEAP) return 0;
    t->node.refs = 1; /* of this call: the hook may take one, and let go of it */
    axi_tell_unheard(t);
    if (--t->node.refs) return 0; /* the hook keeps it */
    AXI_SET_KIND(&t->node, AXI_FREED);
    axi_free(t->loop, t, AXI_TASK_SIZE + axi_size_of(t->frame->fn));
    return 1;
}

#if AXI_GENERATORS
struct axi_generators { /* what the driver has to do with them */
    ax_task *(*enter)(ax_task *user);
    ax_task *(*pause)(ax_task *t);
    ax_task *(*end)(ax_generator *g, int status);
};
#endif

/* The one to go on with, if it was a generator and somebody is in ax_next. */
static ax_task *axi_task_end(ax_task *t, int status) {
    ax_group *g = t->group;
    int kept;
    t->node.state = AXI_DONE;
    t->rc = status == AXI_OWN ? AX_ECANCELED : status;
    axi_timer_drop(t->loop, &t->node);
    axi_timer_unreserve(t->loop);
#if AXI_GENERATORS
    if (t->node.flags & AXI_GENERATES) return t->loop->generators->end(AXI_GENERATOR_OF(t), t->rc);
#endif
    t->node.flags &= AXI_HEAP | AXI_UNMET;
    AXI_TASKS(t->loop, --);
    t->group = NULL;
#ifndef ASYNCX_FREESTANDING
    t->node.bad = t->rc < 0 && t->rc != AX_ECANCELED && g == &t->loop->root && !t->waiters.ring ? AXI_UNHEARD : 0;
#endif
    axi_wake_with(&t->waiters, t->rc, AXI_HANDED_ON);
    axi_take(&g->children, &t->sibling);
    kept = AXI_KEEP && g->flags & AX_GROUP_KEEP; /* then the group releases it, perhaps in the next line */
    axi_group_ended(g, t, t->rc);
    if (kept) return NULL;
#ifndef ASYNCX_FREESTANDING
    if (!(t->node.flags & AXI_HEAP) || (t->loop->state == AXI_CLOSING_LOOP && t->node.refs))
        axi_tell_unheard(t); /* nobody else will. The hook may let go of it, or use its storage again */
    else
#endif
        axi_task_release(t);
    return NULL;
}

/* Hands a frame the result of its await. In AX_FINALLY none is bad. */
static void axi_deliver(ax_task *t, ax_frame *f, int status) {
    if (f->entry.flags & AXI_LIMITED) status = axi_within_end(t, f, status);
    else if (!AXI_FAST || f->entry.flags & AXI_BY_LIMIT) f->entry.flags &= (unsigned char)~AXI_BY_LIMIT;
    t->node.bad = status < 0;
    if (status == AXI_OWN) {
        status = AX_ECANCELED;
        t->node.bad = AXI_CANCELS;
        if (f->entry.flags & AXI_IN_FINALLY) axi_put_off(t);
    }
    t->rc = status;
    if (f->entry.flags & AXI_IN_FINALLY) t->node.bad = 0;
}

#ifndef ASYNCX_FREESTANDING
AXI_SLOW static void axi_note_origin(ax_task *t, ax_frame *f, int status) {
    struct axi_origin *o = &t->loop->origin;
    o->status = strncmp(f->fn->name, "axi_", 4) ? status : 0; /* the inside of an adapter: its caller's line says more */
    o->name = f->fn->name;
    o->file = f->fn->file;
    o->line = AXI_LINE_OF(f);
}
#endif

/* Closes the scopes of a frame whose body was left, innermost first. Whether one is awaited. */
AXI_SLOW static int axi_unwind(ax_task *t, ax_frame *f) {
    while (t->top != &f->entry) {
        axi_scope *scope = (axi_scope *)(void *)t->top;
        int limit = scope->entry.kind == AXI_LIMIT, status = (scope->close)(t, &scope->entry, f->status);
        if (status == AXI_PENDING) {
            f->entry.flags |= AXI_UNWINDING;
            return 1;
        }
        if (f->entry.flags & AXI_IN_FINALLY) continue; /* what happens in the cleanup leaves the body's alone */
#ifndef ASYNCX_FREESTANDING
        if (limit && status != f->status) axi_note_origin(t, f, status); /* it has expired */
#else
        (void)limit;
#endif
        f->status = status;
    }
    return 0;
}

#if AXI_CHECKS
/* An op was begun and not awaited (the compiler has warned): it is as if it was cancelled. 0 if it can't be taken back. */
AXI_SLOW static int axi_drop_wait(ax_task *t) {
    axi_misuse(t->loop, 0, "an op was not awaited");
    t->node.flags &= (unsigned char)~AXI_SLEEPS;
    if (t->node.state == AXI_PARKED && t->forget && t->forget(t, t->obj) == AX_STAY && t->node.state == AXI_PARKED) return 0;
    if (t->node.state == AXI_QUEUED || t->node.state == AXI_READY) {
        axi_take_ready(t->loop, &t->node.link);
        if (t->rc == AXI_OWN && t->node.count) t->node.flags |= AXI_UNMET; /* which it had met */
    }
    if (t->node.flags & AXI_ASKED) (void)axi_answer(t, 0);
    axi_arm(t);
    t->node.state = AXI_RUNNING;
    return 1;
}

/* The same for calls: takes frames off that the step has pushed, but for the one that it awaits. */
AXI_SLOW static void axi_drop_calls(ax_task *t, ax_frame *f, int rc) {
    int refused = rc == AXI_LEFT && AXI_AT_OF(t->frame) == AXI_AT_FINALLY;
    ax_frame *called = rc == AXI_CALLED || refused ? t->frame : NULL;
    axi_entry **at = &t->top;
    while (*at != &f->entry) {
        axi_entry *e = *at;
        if (e->kind != AXI_FRAME || e == (axi_entry *)called) {
            at = &e->up;
            continue;
        }
        axi_misuse(t->loop, 0, "a call was not awaited");
        *at = e->up;
        if (e->flags & AXI_OWNED) axi_free(t->loop, e, axi_size_of(((ax_frame *)(void *)e)->fn));
        else e->flags = 0;
    }
    t->frame = called ? called : f;
}
#endif

/* A group or generator that axi_unwind waited for has ended, with rc for the frame. */
static void axi_unwind_woken(const ax_task *t, ax_frame *f, int rc) {
    f->entry.flags &= (unsigned char)~AXI_UNWINDING;
    if (rc >= 0) return;
    if (f->status >= 0 && !(f->entry.flags & AXI_IN_FINALLY)) f->status = rc;
    else if (rc == AXI_OWN) axi_put_off(t); /* the error beats it */
}

/* A body, or its AX_FINALLY, was left. An error that was handed on is noted where it came from. */
static void axi_left(ax_task *t, ax_frame *f, int how, int handed_on) {
    AXI_AT_OF(f) = AXI_OVER;
    if (f->entry.flags & AXI_IN_FINALLY || how == AXI_ENDED) return; /* without AX_FINALLY the status is 0, as the frame began */
    AXI_AT_OF(f) = AXI_AT_FINALLY;
    f->status = t->node.bad == AXI_CANCELS ? AXI_OWN : t->rc;
#ifndef ASYNCX_FREESTANDING
    if (f->status < 0 && f->status != AXI_OWN && !(handed_on && t->rc == t->loop->origin.status)) axi_note_origin(t, f, t->rc);
#else
    (void)handed_on;
#endif
}

static void axi_begin_finally(ax_task *t, ax_frame *f) {
    if (t->node.flags & AXI_UNMET) { /* whoever called it is still pressed */
        t->node.flags &= (unsigned char)~AXI_UNMET;
        f->entry.flags |= AXI_PUT_OFF;
    }
    f->entry.flags |= AXI_IN_FINALLY;
    t->node.bad = 0;
}

/* A frame is over: its caller's, or NULL if it was the task's first. */
static ax_frame *axi_frame_end(ax_task *t, ax_frame *f) {
    axi_entry *e = t->top = f->entry.up;
    int flags = f->entry.flags;
    AXI_STEPS(t->loop, NULL);
    f->entry.flags = 0;
    if (flags & AXI_PUT_OFF && t->node.count) t->node.flags |= AXI_UNMET;
    while (e && e->kind != AXI_FRAME) e = e->up;
    if (!e) return NULL;
    if (flags & AXI_OWNED) axi_free(t->loop, f, axi_size_of(f->fn));
    return t->frame = (ax_frame *)(void *)e;
}

#if AXI_GENERATORS
static int axi_may_emit(ax_task *t, const ax_frame *f, int *rc);
#endif

/* Steps a task until it waits, has had its share, or ends. f: the frame whose step has just told rc; NULL: it is queued.

     deliver     hands rc to the frame as the result of its await; step follows
     step        runs the body to its next await; stepped follows
     stepped     what the step told: that it waits (return), a result (deliver), a call (step the new frame), an item or the wish
                 for one (go on with the other side of a generator), that the body was left (unwind)
     unwind      closes the scopes, runs AX_FINALLY (step), ends the frame; its status is a result for the caller (deliver)
     share_used  queues the task behind all others

   What asks for AXI_FAST is a short cut through what stands below it. */
AXI_RARE static void axi_drive(ax_task *t, ax_frame *f, int rc) {
    int share = ASYNCX_AWAITS, handed_on = 0, state;
    if (f) goto stepped;
    f = t->frame;
    rc = t->rc;
    handed_on = t->node.bad;
    state = t->node.state;
    t->node.state = AXI_RUNNING;
    t->node.bad = 0;
    if (AXI_FAST && state == AXI_FRESH && rc >= 0) goto step;
    if (state == AXI_FRESH && rc < 0) { /* cancelled before its first step: only the cleanup runs */
        f->status = AXI_OWN;
        AXI_AT_OF(f) = AXI_AT_FINALLY;
        goto unwind;
    }
    if (f->entry.flags & AXI_UNWINDING) {
        axi_unwind_woken(t, f, rc);
        goto unwind;
    }
deliver:
    axi_deliver(t, f, rc);
step:
    rc = AXI_STEP(t, f).axi;
stepped:
    if (AXI_LIKELY(rc == AXI_PENDING && (!AXI_CHECKS || t->frame == f))) {
        if (ASYNCX_DEBUG && t->node.state == AXI_RUNNING) axi_misuse(t->loop, 0, "an op says that it waits, and has not parked");
        return;
    }
    if (AXI_FAST && AXI_LIKELY(rc >= 0 && t->frame == f && t->node.state == AXI_RUNNING && !(t->node.flags & AXI_WOKEN) &&
                   !(f->entry.flags & AXI_LIMITED) && --share)) { /* done at once: what axi_deliver would do */
        t->rc = rc;
        t->node.bad = 0;
        handed_on = 0;
        goto step;
    }
    if (AXI_FAST && rc == AXI_CALLED && t->frame->entry.up == &f->entry && t->top == &t->frame->entry &&
        t->node.state == AXI_RUNNING) {
        f = t->frame; /* a call, and nothing begun and not awaited beside it */
        handed_on = 0;
        goto step;
    }
#if AXI_CHECKS
    if (t->frame != f) axi_drop_calls(t, f, rc);
#endif
#if AXI_GENERATORS
    if (rc == AXI_SWITCHED) { /* into the generator, as into a call */
        if (t->node.state != AXI_PARKED) return; /* cancelled since */
        t = t->loop->generators->enter(t);
        f = t->frame;
        rc = handed_on = 0;
        if (--share) goto deliver;
        goto share_used;
    }
#endif
#if AXI_CHECKS
    if (rc == AXI_PENDING) return;
    if (t->node.state != AXI_RUNNING && !axi_drop_wait(t)) { /* the end of that wait is awaited before the body is left */
        if (rc == AXI_LEFT || rc == AXI_ENDED) axi_left(t, f, rc, 0), f->entry.flags |= AXI_UNWINDING;
        return;
    }
#endif
#if AXI_GENERATORS
    if (rc == AXI_EMITTED && axi_may_emit(t, f, &rc)) { /* and back, without a turn: the item is the user's until it asks again */
        int pressed = t->node.flags & AXI_PRESSED;
        if (!(t = t->loop->generators->pause(t))) return;
        t->node.state = AXI_RUNNING;
        t->node.bad = 0;
        if ((share == 1 || pressed) && t->node.flags & AXI_UNMET) t->node.flags |= AXI_PRESSED;
        f = t->frame;
        rc = t->rc;
        goto deliver;
    }
#endif
    f = t->frame; /* of a call, also one that was refused: at AX_FINALLY */
    if (rc == AXI_CALLED) {
        handed_on = 0;
        goto step;
    }
    t->node.flags &= (unsigned char)~AXI_WOKEN; /* it was for no op of this body */
    if (rc >= AXI_OWN) { /* done at once */
        handed_on = 0;
        if ((!AXI_FAST || share) && --share) goto deliver;
        goto share_used;
    }
    axi_left(t, f, rc, handed_on == AXI_HANDED_ON);
unwind:
    if ((!AXI_FAST || t->top != &f->entry) && axi_unwind(t, f)) return;
    if (AXI_AT_OF(f) == AXI_AT_FINALLY) { /* AX_FINALLY, if there is one */
        axi_begin_finally(t, f);
        goto step;
    }
    rc = f->status;
    handed_on = rc < 0 ? AXI_HANDED_ON : 0;
    if (!(f = axi_frame_end(t, f))) {
        if (!(t = axi_task_end(t, rc))) return; /* on with who was in ax_next */
        t->node.state = AXI_RUNNING;
        t->node.bad = 0;
        f = t->frame;
        rc = t->rc;
    }
    if (--share) goto deliver;
share_used:
    axi_give_way(t, rc);
}

static void axi_run_task(ax_task *t) {
    if (AXI_FAST && AXI_LIKELY(t->node.state == AXI_READY)) {
        ax_frame *f = t->frame;
        int rc;
        t->node.state = AXI_RUNNING;
        t->node.bad = 0;
        rc = AXI_STEP(t, f).axi;
        if (AXI_LIKELY(rc == AXI_PENDING && t->frame == f && !ASYNCX_DEBUG)) return; /* mostly that is all */
        axi_drive(t, f, rc);
    } else {
        axi_drive(t, NULL, 0);
    }
}
#else /* without cancellation: the same in small */
AXI_SLOW static void axi_give_back(ax_task *t, void *p, const ax_frame *f, size_t more) {
    axi_free(t->loop, p, axi_size_of(f->fn) + more);
}

static void axi_run_task(ax_task *t) {
    ax_frame *f;
    unsigned char share = ASYNCX_AWAITS;
    int rc = t->rc;
    t->node.state = AXI_RUNNING;
    for (;;) {
        f = t->frame;
        t->node.flags &= (unsigned char)~AXI_WOKEN; /* by an op that was done all the same */
        t->rc = rc;
        t->node.bad = rc < 0 && !(f->entry.flags & AXI_IN_FINALLY);
        do f = t->frame, rc = AXI_STEP(t, f).axi;
        while (rc == AXI_CALLED);
        if (rc == AXI_PENDING) return;
        if (rc > AXI_OWN) { /* done at once */
            if (--share) continue;
            axi_requeue(t, rc);
            return;
        }
        if (rc == AXI_LEFT && !(f->entry.flags & AXI_IN_FINALLY)) {
            f->status = rc = t->rc;
            AXI_AT_OF(f) = AXI_AT_FINALLY;
            f->entry.flags |= AXI_IN_FINALLY;
            continue;
        }
        rc = f->status;
        if (!f->entry.up) break;
        t->frame = (ax_frame *)(void *)f->entry.up;
        if (f->entry.flags & AXI_OWNED) axi_give_back(t, f, f, 0);
        else f->entry.flags = 0;
    }
    f->entry.flags = 0;
    t->rc = rc;
    t->node.state = AXI_DONE;
    AXI_TASKS(t->loop, --);
    if (t->node.flags & AXI_HEAP) axi_give_back(t, t, f, AXI_TASK_SIZE);
}
#endif

/* ---- 6 Tasks ---- */

/* A task's life.

       spawn                step                       the body, its scopes
         |      +--------------------------+            and AX_FINALLY ended
         v      v            (2)           |                  (5)
      QUEUED --(1)--> RUNNING -------> PARKED     RUNNING --------> DONE
         ^               |                |
         |               | (3)            | (4)
         +---------------+----------------+

      1 axi_run_task takes it from the ready queue          4 axi_wake queues it with the op's result, or with
      2 ax_park: the op has to wait                           AX_ECANCELED after its forget hook said so
      3 axi_requeue: ax_checkpoint, or it had its share     5 axi_task_end tells joiners and the group

   READY is a form of QUEUED: the next step can take the result as it is (on hosts; nearly every wake is one).

   All of cancellation: axi_request makes a request. A PARKED task's hook is asked; else the request is unmet, and
   the next ax_park meets it. */

#if AXI_CANCEL
AX_API int ax_cancel(ax_task *t) {
    if (axi_freed(t)) return AX_EINVAL;
    if (axi_foreign(t->loop)) return AX_EPERM;
    if (t->node.state == AXI_DONE) return 0;
    axi_request(t);
    return 1;
}

AX_API int ax_uncancel(ax_task *t) {
    if (!t->node.count) return 0;
    if (!--t->node.count) {
        t->node.flags &= (unsigned char)~(AXI_UNMET | AXI_PRESSED);
        if (t->node.state == AXI_FRESH) t->rc = 0;
    }
    axi_taken_back(t, (axi_count)(t->node.count - (t->node.flags & AXI_UNMET ? 1 : 0))); /* what is unmet is in nobody's base */
    return t->node.count;
}

AX_API int ax_cancelling(const ax_task *t) { return t->node.count; }

AX_API ax_op ax_join(ax_task *me, ax_task *t) {
    AXI_REFUSE(me);
    if (axi_freed(t)) return ax_done(AX_EINVAL);
    if (t == me) return ax_done(AX_EDEADLK);
    if (t->node.state == AXI_DONE) return ax_done(ax_task_status(t));
    return axi_wait_in(me, &t->waiters);
}

AXI_ASYNC(ax_joiner, AX_API) {
    AX_BEGIN;
    AX_AWAIT(ax_join(me, my->task));
    AX_RETURN(me->rc);
    AX_FINALLY:
    ax_task_unref(my->task);
    AX_END;
}
#endif

AX_API int ax_task_status(ax_task *t) {
    if (axi_freed(t)) return AX_EINVAL;
    if (t->node.state != AXI_DONE) return AX_EINPROGRESS;
    t->node.bad = 0; /* no longer AXI_UNHEARD */
    return t->rc;
}

#if ASYNCX_NAMES
AX_API const char *ax_task_name(const ax_task *t) { return AXI_ROM_READ(const char *, &axi_first_frame(t)->fn->name); }

AX_API ax_where ax_task_where(const ax_task *t) { return axi_where(t->frame); }
#endif

#if AXI_CANCEL
/* The tasks below an entry of a task's stack: a group's children, or a generator's own. */
static ax_task *axi_below(axi_entry *e) {
    for (; e; e = e->up) {
#if AXI_GENERATORS
        if (e->kind == AXI_GENERATOR) return &((ax_generator *)(void *)e)->task;
#endif
        if (e->kind == AXI_GROUP && ((ax_group *)(void *)e)->children.ring)
            return AXI_TASK_OF(sibling, axi_head(&((ax_group *)(void *)e)->children));
    }
    return NULL;
}

AX_API void ax_tasks(ax_loop *loop, ax_task_fn *fn, void *arg) { /* without recursion: up again by the group or the generator */
    int depth = 0;
    ax_task *t = loop->root.children.ring ? AXI_TASK_OF(sibling, axi_head(&loop->root.children)) : NULL, *next;
    while (t) {
        fn(t, depth, arg);
        next = axi_below(t->top);
        if (next) depth++;
        while (!next) {
            axi_entry *from;
            axi_link *sibling;
#if AXI_GENERATORS
            if (t->node.flags & AXI_GENERATES) {
                from = &AXI_GENERATOR_OF(t)->entry;
                t = AXI_GENERATOR_OF(t)->opener;
            } else
#endif
            {
                if ((sibling = axi_after(&t->group->children, &t->sibling)) != NULL) {
                    next = AXI_TASK_OF(sibling, sibling);
                    break;
                }
                from = &t->group->entry;
                if (!(t = t->group->owner)) return;
            }
            depth--;
            next = axi_below(from->up);
            if (next) depth++;
        }
        t = next;
    }
}

AX_API ax_task *ax_task_ref(ax_task *t) {
    if (t && t->node.refs != AXI_MOST_REFS) t->node.refs++;
    return t;
}

AX_API ax_task *ax_task_unref(ax_task *t) {
    if (!t || !t->node.refs || t->node.refs == AXI_MOST_REFS) return t; /* too many to count: kept until the loop closes */
    t->node.refs--;
    return axi_task_release(t) ? NULL : t;
}

static int axi_callback_on(ax_callback *c, ax_loop *loop, axi_list *list, ax_fn *fn, void *arg) {
    if (axi_foreign(loop) || loop->state == AXI_CLOSED) return AX_EPERM;
    if (axi_dead_stack(loop, c) || axi_dead_stack(loop, arg)) return AX_EFAULT;
    if (c->list || c->node.state == AXI_POSTED) return c->list == list && c->fn == fn && c->arg == arg ? 0 : AX_EBUSY;
    AXI_SET_KIND(&c->node, AXI_CALLBACK);
    c->loop = loop;
    c->fn = fn;
    c->arg = arg;
    c->list = list;
    axi_push(list, &c->node.link);
    return 0;
}

AX_API int ax_on_done(ax_task *t, ax_callback *c, ax_fn *fn, void *arg) {
    return axi_callback_on(c, t->loop, t->node.state == AXI_DONE ? &t->loop->ready : &t->waiters, fn, arg);
}

#endif

AXI_RARE static ax_op axi_checkpoint(ax_task *me) {
    int unmet = me->node.flags & AXI_UNMET;
    if (AXI_CHECKS && me->node.state != AXI_RUNNING) return ax_done(axi_refuses(me));
    me->node.flags &= (unsigned char)~(AXI_FAST && !unmet ? AXI_WOKEN : AXI_UNMET | AXI_PRESSED | AXI_WOKEN);
    axi_requeue(me, unmet ? AXI_OWN : 0);
    return axi_op(AXI_PENDING);
}
AX_API ax_op ax_checkpoint(ax_task *me) {
    if (!AXI_FAST || me->node.state != AXI_RUNNING || me->node.flags & (AXI_UNMET | AXI_PRESSED | AXI_WOKEN | AXI_BOUND))
        return axi_checkpoint(me);
    axi_queue_as(me, AXI_READY, 0); /* what axi_queue_task would find */
    return axi_op(AXI_PENDING);
}

AX_API int ax_leaving(const ax_task *me) {
    const ax_frame *f = me->frame;
    if (!(f->entry.flags & AXI_IN_FINALLY)) return 0;
    return f->status == AXI_OWN ? AX_ECANCELED : f->status;
}

#if AXI_CANCEL
AX_API int ax_expired(const ax_task *me) { return me->rc == AX_ETIMEDOUT && me->frame->entry.flags & AXI_BY_LIMIT ? 1 : 0; }

#endif

/* ---- 8 Sleeping, rate limits, pauses ---- */

AX_API ax_time ax_now(ax_loop *loop) { return axi_add(axi_clock(loop), 0); } /* never AX_FOREVER */
AX_API ax_time ax_later(ax_time when, ax_time time) { return axi_add(when, time); }
AX_API ax_time ax_after(ax_loop *loop, ax_time time) { return axi_add(axi_clock(loop), time); }
AX_API ax_time ax_since(ax_loop *loop, ax_time when) { return when == AX_FOREVER ? -AX_FOREVER : AXI_MINUS(axi_clock(loop), when); }
AX_API ax_time ax_until(ax_loop *loop, ax_time when) { return when == AX_FOREVER ? when : AXI_MINUS(when, axi_clock(loop)); }

#ifndef ASYNCX_FREESTANDING
static int axi_forget_for_ever(ax_task *t, void *none) {
    (void)none;
    t->loop->for_ever--;
    return 0;
}
#define AXI_FOR_EVER axi_forget_for_ever
#else
#define AXI_FOR_EVER NULL
#endif

static ax_op axi_sleep(ax_task *me, ax_time when) {
    me->u.wake = when;
    if (when != AX_FOREVER) {
#if AXI_CANCEL /* else a deadline that has passed is met by the next look at the timers, which is a turn as well */
        if (axi_reached(&me->u.wake, &me->loop->now)) return ax_checkpoint(me);
#endif
        me->node.flags |= AXI_SLEEPS;
        return axi_park(me, NULL, NULL);
    }
#ifndef ASYNCX_FREESTANDING
    me->loop->for_ever++;
#endif
    return axi_park(me, AXI_FOR_EVER, NULL);
}

AX_API ax_op ax_sleep_until(ax_task *me, ax_time when) {
    AXI_REFUSE(me);
    if (AXI_CANCEL) axi_clock(me->loop);
    return axi_sleep(me, when);
}

AX_API ax_op (ax_sleep)(ax_task *me, ax_time time) {
    AXI_REFUSE(me);
    if (axi_no_duration(me->loop, time)) return ax_done(AX_EINVAL);
    if (time <= 0) return ax_checkpoint(me);
    return axi_sleep(me, axi_from(me->loop, time));
}

#if AXI_CANCEL && ASYNCX_TIME_BITS == 64
AX_API int (ax_limiter_init)(ax_limiter *l, int rate, ax_time period, int burst) {
    axi_clear(l, sizeof *l);
    if (axi_no_duration(NULL, period) || rate < 1 || period < 1 || burst < 1 || period > AX_FOREVER / 2) return AX_EINVAL;
    l->interval = period / rate + (period % rate != 0); /* rounded up: never faster than the rate */
    l->burst = burst;
    return l->interval > AX_FOREVER / 4 / burst ? AX_EINVAL : 0;
}

/* The point in time from which this many tokens are there. */
static ax_time axi_limiter_ready(const ax_limiter *l, int tokens) { return l->full - (l->burst - tokens) * l->interval; }

static void axi_limiter_take(ax_limiter *l, ax_time now, int tokens) {
    l->full = (l->full > now ? l->full : now) + tokens * l->interval;
}

AX_API int ax_limiter_tokens(ax_loop *loop, const ax_limiter *l) {
    ax_time missing = l->full - axi_clock(loop);
    if (!l->interval || missing <= 0) return l->burst;
    return l->burst - (int)((missing + l->interval - 1) / l->interval);
}

AX_API int ax_limiter_try_acquire(ax_loop *loop, ax_limiter *l, int tokens) {
    ax_time now = axi_clock(loop);
    if (tokens < 1 || tokens > l->burst) return AX_EINVAL;
    if (l->waiters.ring || axi_limiter_ready(l, tokens) > now) return AX_EAGAIN;
    axi_limiter_take(l, now, tokens);
    return 0;
}

/* Only the first in line has its wake-up set. A waiter's rc is how many tokens it wants. */
static void axi_limiter_head(ax_limiter *l) {
    ax_task *t;
    if (!l->waiters.ring) return;
    t = AXI_TASK_OF(node, axi_head(&l->waiters));
    t->u.wake = axi_limiter_ready(l, t->rc);
    t->node.flags |= AXI_SLEEPS;
    if (t->node.state == AXI_PARKED) axi_arm(t);
}

static int axi_forget_limiter(ax_task *t, void *limiter) { /* it is cancelled, or its time has come */
    ax_limiter *l = (ax_limiter *)limiter;
    int head = axi_head(&l->waiters) == &t->node.link;
    axi_take(&l->waiters, &t->node.link);
    if ((t->node.flags & (AXI_SLEEPS | AXI_ASKED)) == AXI_SLEEPS) axi_limiter_take(l, t->loop->now, t->rc);
    if (head) axi_limiter_head(l);
    return 0;
}

AX_API ax_op ax_limiter_acquire(ax_task *me, ax_limiter *l, int tokens) {
    int rc;
    AXI_REFUSE(me);
    rc = ax_limiter_try_acquire(me->loop, l, tokens);
    if (rc != AX_EAGAIN) return ax_done(rc);
    if (axi_dead_stack(me->loop, l)) return ax_done(AX_EFAULT);
    me->rc = tokens;
    axi_push(&l->waiters, &me->node.link);
    if (axi_head(&l->waiters) == &me->node.link) axi_limiter_head(l);
    return axi_park(me, axi_forget_limiter, l);
}

#endif

/* A random number from 0 to most. */
#if ASYNCX_TIME_BITS == 64
static ax_time axi_random(uint64_t *state, ax_time most) { /* splitmix64: G. L. Steele, D. Lea, C. H. Flood, 2014 */
    uint64_t x = *state += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return (ax_time)((x ^ (x >> 31)) % ((uint64_t)most + 1));
}
#else
static ax_time axi_random(uint32_t *state, ax_time most) { /* xorshift32: G. Marsaglia, 2003; scaled without a division */
    uint32_t x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    *state = x;
    return (ax_time)(((uint64_t)x * ((uint32_t)most + 1)) >> 32);
}
#endif

AX_API ax_time ax_backoff_next(ax_backoff *b) {
    ax_time limit = b->base, cap = b->cap > 0 ? b->cap : AX_FOREVER / 4 * 3;
    int i, factor = b->factor > 0 ? b->factor : 2;
    for (i = 0; i < b->tries && factor > 1 && limit > 0 && limit < cap; i++) limit = limit > cap / factor ? cap : limit * factor;
    if (limit > cap) limit = cap;
    if (b->tries < INT_MAX) b->tries++;
    if (!b->seed) { /* machines and tasks that start together must not retry together */
#ifndef ASYNCX_FREESTANDING
        struct timespec ts;
        clock_gettime(CLOCK_REALTIME, &ts);
        b->seed = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec + (uint64_t)(uintptr_t)b;
#else
        b->seed = ((uint32_t)ax_port_now() << 8 ^ (uint32_t)(uintptr_t)b) | 1;
#endif
    }
    return limit > 0 ? axi_random(&b->seed, limit) : 0;
}

/* ---- 9 Locks, events, futures ---- */

AX_API int ax_sem_init(ax_sem *s, int permits, int max) {
    if (permits < 0 || max < 0 || (max && permits > max)) return AX_EINVAL;
    s->permits = permits;
    s->max = max ? max : INT_MAX;
    s->waiters.ring = NULL;
    return 0;
}

/* What a semaphore refuses has this status, unless it is a zeroed one. */
static int axi_sem_refuses(const ax_sem *s, int status) {
    return !AXI_CHECKS || s->max ? status : axi_misuse(NULL, AX_EINVAL, "a semaphore is used before ax_sem_init");
}

AX_API int ax_sem_try_acquire(ax_sem *s) {
    if (!s->permits || (AXI_CHECKS && !s->max)) return axi_sem_refuses(s, AX_EAGAIN);
    s->permits--;
    return 0;
}

AX_API int ax_sem_release(ax_sem *s) {
    ax_task *t = axi_first(&s->waiters);
    if (!t) {
        if (s->permits == s->max) return axi_sem_refuses(s, AX_EOVERFLOW);
        s->permits++;
        return 0;
    }
#if AXI_CANCEL
    if (t->u.data) ((ax_permit *)t->u.data)->held = 1;
#endif
    axi_wake(t, 0);
    return 0;
}

AX_API ax_op ax_sem_acquire(ax_task *me, ax_sem *s) {
    int rc;
    AXI_REFUSE(me);
    if ((rc = ax_sem_try_acquire(s)) != AX_EAGAIN) return ax_done(rc);
    me->u.data = NULL;
    return axi_wait_in(me, &s->waiters);
}

#if AXI_CANCEL
static int axi_forget_permit(ax_task *t, void *permit) {
    ax_permit *p = (ax_permit *)permit;
    axi_take(&p->sem->waiters, &t->node.link);
    axi_shut(t, &p->entry);
    return 0;
}

static void axi_permit_release(ax_permit *p) {
    axi_shut(p->task, &p->entry);
    p->held = 0;
    ax_sem_release(p->sem);
}

static int axi_close_permit(ax_task *t, axi_entry *e, int status) {
    (void)t;
    axi_permit_release((ax_permit *)(void *)e);
    return status;
}

AX_API ax_op ax_sem_enter(ax_task *me, ax_sem *s, ax_permit *p) {
    int rc;
    AXI_REFUSE(me);
    if ((rc = axi_openable(me, &p->entry)) < 0) return ax_done(rc);
    if (axi_dead_stack(me->loop, s)) return ax_done(AX_EFAULT);
    rc = ax_sem_try_acquire(s);
    if (rc < 0 && rc != AX_EAGAIN) return ax_done(rc);
    axi_open(me, &p->entry, AXI_PERMIT, axi_close_permit);
    p->sem = s;
    p->task = me;
    p->held = rc == 0;
    if (p->held) return ax_done(0);
    me->u.data = p;
    axi_push(&s->waiters, &me->node.link);
    return axi_park(me, axi_forget_permit, p);
}

AX_API int ax_sem_leave(ax_permit *p) {
    if (!(p->entry.flags & AXI_LIVE) || !p->held) return AX_EPERM;
    axi_permit_release(p);
    return 0;
}

static axi_close axi_close_mutex;

/* The frame that locked a mutex keeps it as its scope, also when a frame that it called waits for a condition. */
static void axi_mutex_give(ax_mutex *m, ax_task *t, const axi_entry *frame) {
    axi_entry **at = &t->top, *e;
    for (e = t->top; e != frame; e = e->up)
        if (e->kind == AXI_FRAME) at = &e->up;
    m->owner = t;
    ((axi_scope *)(void *)&m->entry)->close = axi_close_mutex;
    m->entry.kind = AXI_MUTEX;
    m->entry.flags = AXI_LIVE;
    m->entry.up = *at;
    *at = &m->entry;
}

/* A waiter that was notified, or whose wait was cancelled, needs the mutex before it goes on, and can't be kept from it. */
static int axi_forget_relock(ax_task *t, void *frame) {
    (void)t;
    (void)frame;
    return AX_STAY;
}

static void axi_mutex_hand_over(ax_mutex *m) {
    ax_task *t = axi_first(&m->waiters);
    axi_shut(m->owner, &m->entry);
    m->owner = NULL;
    if (!t) return;
    axi_mutex_give(m, t, t->forget == axi_forget_relock ? (axi_entry *)t->obj : &t->frame->entry);
    axi_wake(t, (int)(intptr_t)t->u.data); /* 0, or how the wait for a condition ended */
}

static int axi_close_mutex(ax_task *t, axi_entry *e, int status) {
    (void)t;
    axi_mutex_hand_over((ax_mutex *)(void *)e);
    return status;
}

AX_API int ax_mutex_try_lock(ax_task *me, ax_mutex *m) {
    int rc = m->owner ? AX_EAGAIN : axi_openable(me, &m->entry);
    if (rc >= 0) axi_mutex_give(m, me, &me->frame->entry);
    return rc;
}

AX_API ax_op ax_mutex_lock(ax_task *me, ax_mutex *m) {
    AXI_REFUSE(me);
    if (m->owner == me) return ax_done(AX_EDEADLK);
    if (!m->owner) return ax_done(ax_mutex_try_lock(me, m));
    me->u.data = NULL;
    return axi_wait_in(me, &m->waiters);
}

/* Whether a frame of the task is being left. */
static int axi_leaves(const ax_task *t) {
    const axi_entry *e;
    for (e = t->top; e; e = e->up) {
        const ax_frame *f = (const ax_frame *)(const void *)e;
        if (e->kind != AXI_FRAME) continue;
        if (e->flags & AXI_IN_FINALLY || AXI_AT_OF(f) == AXI_AT_FINALLY || AXI_AT_OF(f) == AXI_OVER) return 1;
    }
    return 0;
}

/* Whether the task holds the mutex. */
static int axi_locked(const ax_task *me, const ax_mutex *m) {
    if (m && m->owner && m->owner == me) return 1;
    axi_misuse(me->loop, 0, m ? "a mutex is unlocked, or its condition used, by a task that does not hold it (any more)"
                              : "a condition is used before ax_cond_init");
    return 0;
}

AX_API int ax_mutex_unlock(ax_task *me, ax_mutex *m) {
    if (m->owner != me && axi_leaves(me)) return AX_EPERM; /* it has let go of it */
    if (!axi_locked(me, m)) return AX_EPERM;
    axi_mutex_hand_over(m);
    return 0;
}

AX_API void ax_cond_init(ax_cond *c, ax_mutex *mutex) {
    c->mutex = mutex;
    c->waiters.ring = NULL;
}

static void axi_relock(ax_task *t, ax_mutex *m, int status) {
    t->forget = axi_forget_relock;
    t->obj = t->u.data;
    t->u.data = (void *)(intptr_t)status;
    axi_push(&m->waiters, &t->node.link);
}

static int axi_forget_cond(ax_task *t, void *cond) {
    ax_cond *c = (ax_cond *)cond;
    axi_take(&c->waiters, &t->node.link);
    if (c->mutex->owner) {
        axi_relock(t, c->mutex, AX_ECANCELED);
        return AX_STAY;
    }
    axi_mutex_give(c->mutex, t, (axi_entry *)t->u.data);
    return 0;
}

AX_API ax_op ax_cond_wait(ax_task *me, ax_cond *c) {
    axi_entry *frame;
    AXI_REFUSE(me);
    if (!axi_locked(me, c->mutex)) return ax_done(AX_EPERM);
    if (axi_dead_stack(me->loop, c)) return ax_done(AX_EFAULT);
    for (frame = &c->mutex->entry; frame->kind != AXI_FRAME; frame = frame->up) {}
    axi_mutex_hand_over(c->mutex);
    me->u.data = frame; /* until it waits for the mutex */
    axi_push(&c->waiters, &me->node.link);
    return axi_park(me, axi_forget_cond, c);
}

AX_API int ax_cond_notify(ax_task *me, ax_cond *c, int n) {
    ax_task *t;
    int woken = 0;
    if (!axi_locked(me, c->mutex)) return AX_EPERM;
    while (woken < n && (t = axi_first(&c->waiters)) != NULL) {
        axi_relock(t, c->mutex, 0); /* the notifier holds it: they line up */
        woken++;
    }
    return woken;
}
#endif

AX_API int ax_barrier_init(ax_barrier *b, int parties) {
    axi_clear(b, sizeof *b);
    if (parties < 1) return AX_EINVAL;
    b->parties = parties;
    return 0;
}

#if AXI_CANCEL
static int axi_forget_barrier(ax_task *t, void *barrier) {
    ax_barrier *b = (ax_barrier *)barrier;
    b->waiting--;
    return axi_forget_list(t, &b->waiters);
}
#else
#define axi_forget_barrier NULL
#endif

AX_API ax_op ax_barrier_wait(ax_task *me, ax_barrier *b) {
    ax_task *t;
    int number = 0;
    AXI_REFUSE(me);
    if (b->broken) return ax_done(AX_ECONNABORTED);
    if (b->parties < 1) return ax_done(AX_EINVAL);
    if (b->waiting + 1 < b->parties) {
        if (axi_dead_stack(me->loop, b)) return ax_done(AX_EFAULT);
        b->waiting++;
        axi_push(&b->waiters, &me->node.link);
        return axi_park(me, axi_forget_barrier, b);
    }
    b->waiting = 0;
    while ((t = axi_first(&b->waiters)) != NULL) axi_wake(t, number++);
    return ax_done(number);
}

AX_API void ax_barrier_reset(ax_barrier *b) {
    b->broken = 0;
    b->waiting = 0;
    axi_wake_all(&b->waiters, AX_ECONNABORTED);
}

AX_API void ax_barrier_abort(ax_barrier *b) {
    ax_barrier_reset(b);
    b->broken = 1;
}

AX_API ax_op ax_event_wait(ax_task *me, ax_event *e) {
    AXI_REFUSE(me);
    return e->set ? ax_done(0) : axi_wait_in(me, &e->waiters);
}

AX_API void ax_event_set(ax_event *e) {
    e->set = 1;
    axi_wake_all(&e->waiters, 0);
}

AX_API void ax_event_clear(ax_event *e) { e->set = 0; }

#if AXI_CANCEL
static int axi_forget_future(ax_task *t, void *future) {
    ax_future *f = (ax_future *)future;
    if (!f->cancel) return axi_forget_list(t, &f->waiters);
    if (f->cancel(f, f->arg) != AX_STAY) ax_future_complete(f, AX_ECANCELED); /* unless cancel has completed it */
    return AX_STAY; /* its completion wakes the task */
}
#else
#define axi_forget_future NULL
#endif

AX_API ax_op ax_future_wait(ax_task *me, ax_future *f) {
    AXI_REFUSE(me);
    if (f->done) return ax_done(f->status);
    if (axi_dead_stack(me->loop, f)) return ax_done(AX_EFAULT);
    axi_push(&f->waiters, &me->node.link);
    return axi_park(me, axi_forget_future, f);
}

AX_API int ax_future_complete(ax_future *f, int status) {
    if (f->done) return AX_EALREADY;
    f->done = 1;
    f->status = status;
    axi_wake_all(&f->waiters, status);
    return 0;
}

#if AXI_CANCEL
AX_API int ax_future_on_done(ax_loop *loop, ax_future *f, ax_callback *c, ax_fn *fn, void *arg) {
    return axi_callback_on(c, loop, f->done ? &loop->ready : &f->waiters, fn, arg);
}
#endif

/* ---- 10 Queues ---- */

#ifndef ASYNCX_FREESTANDING
/* Not inlined: gcc would warn of the eight bytes where it sees an item that is smaller. */
AXI_SLOW static void axi_copy(void *to, const void *from, size_t size) {
    if (size == sizeof(void *)) memcpy(to, from, sizeof(void *)); /* a pointer, a number: no call */
    else memcpy(to, from, size);
}
#else
AXI_SLOW static void axi_copy(void *to, const void *from, size_t size) {
    const unsigned char *a = (const unsigned char *)from;
    unsigned char *b = (unsigned char *)to;
    while (size--) {
        *b++ = *a++;
        AXI_PLAIN_LOOP;
    }
}
#endif

#ifndef ASYNCX_FREESTANDING
#define AXI_TOO_MANY(capacity, item_size) ((capacity) > SIZE_MAX / 2 / (item_size))
#else
#define AXI_TOO_MANY(capacity, item_size) 0 /* a division; the storage is there to see */
#endif

AXI_OUTLINE static unsigned char *axi_slot_at(ax_queue *q, size_t i) {
    i += q->head;
    return q->storage + (i < q->capacity ? i : i - q->capacity) * q->item_size;
}

AXI_OUTLINE_8 static void *axi_queue_take(ax_queue *q) { /* the first item, off the queue: it stays until the next is stored */
    void *first = axi_slot_at(q, 0);
    if (++q->head == q->capacity) q->head = 0;
    q->count--;
    return first;
}

AX_API int ax_queue_lifo(const void *a, const void *b) {
    (void)a;
    (void)b;
    return 1;
}

AXI_OUTLINE static void axi_queue_store(ax_queue *q, const void *item) {
    size_t i = q->count++;
    unsigned char *to = axi_slot_at(q, i), *before;
    if (q->before)
        for (; i && q->before(item, before = axi_slot_at(q, i - 1)); i--, to = before) axi_copy(to, before, q->item_size);
    axi_copy(to, item, q->item_size);
}

AX_API int ax_queue_init(ax_queue *q, void *storage, size_t capacity, size_t item_size) {
    axi_clear(q, sizeof *q);
    if (!item_size || AXI_TOO_MANY(capacity, item_size) || (capacity && !storage)) return AX_EINVAL;
    q->storage = (unsigned char *)storage;
    q->capacity = capacity;
    q->item_size = item_size;
    return 0;
}

#ifndef ASYNCX_FREESTANDING
AX_API int ax_queue_init_growing(ax_queue *q, ax_loop *loop, size_t most, size_t item_size) {
    int rc = ax_queue_init(q, NULL, 0, item_size);
    q->loop = loop;
    q->most = most && most < SIZE_MAX / 2 ? most : SIZE_MAX / 2;
    return rc;
}

static int axi_queue_grow(ax_queue *q) {
    size_t capacity = q->capacity ? q->capacity > q->most / 2 ? q->most : q->capacity * 2 : q->most < 8 ? q->most : 8;
    unsigned char *storage = capacity > SIZE_MAX / 2 / q->item_size ? NULL
                             : (unsigned char *)axi_alloc(q->loop, capacity * q->item_size);
    size_t first = q->capacity - q->head < q->count ? q->capacity - q->head : q->count; /* items before the end of the ring */
    if (!storage) return AX_ENOMEM;
    if (q->storage) {
        memcpy(storage, q->storage + q->head * q->item_size, first * q->item_size);
        memcpy(storage + first * q->item_size, q->storage, (q->count - first) * q->item_size);
        axi_free(q->loop, q->storage, q->capacity * q->item_size);
    }
    q->storage = storage;
    q->capacity = capacity;
    q->head = 0;
    return 0;
}

AX_API void ax_queue_free(ax_queue *q) {
    ax_queue_close_now(q, NULL, NULL);
    if (q->loop) axi_free(q->loop, q->storage, q->capacity * q->item_size);
    q->storage = NULL;
    q->capacity = q->most = 0;
}
#endif

AX_API int ax_queue_try_put(ax_queue *q, const void *item) {
    ax_task *getter;
    if (AXI_CHECKS && !q->item_size) return axi_misuse(NULL, AX_EINVAL, "a queue is used before ax_queue_init");
    if (q->closed) return AX_EPIPE;
    if ((getter = axi_first(&q->getters)) != NULL) {
        axi_copy(getter->u.data, item, q->item_size);
        axi_wake(getter, 1);
    } else {
#ifndef ASYNCX_FREESTANDING
        if (q->count == q->capacity) {
            int rc = q->count < q->most ? axi_queue_grow(q) : AX_EAGAIN;
            if (rc < 0) return rc;
        }
#else
        if (q->count == q->capacity) return AX_EAGAIN;
#endif
        axi_queue_store(q, item);
    }
    q->unfinished++;
    return 0;
}

AX_API int ax_queue_try_get(ax_queue *q, void *item) {
    ax_task *putter;
    if (AXI_CHECKS && !q->item_size) return axi_misuse(NULL, AX_EINVAL, "a queue is used before ax_queue_init");
    putter = axi_first(&q->putters);
    if (!putter && !q->count) return q->closed ? 0 : AX_EAGAIN;
    axi_copy(item, q->count ? axi_queue_take(q) : putter->u.data, q->item_size); /* or a rendezvous */
    if (putter) {
        if (q->capacity) axi_queue_store(q, putter->u.data);
        q->unfinished++;
        axi_wake(putter, 0);
    }
    return 1;
}

static ax_op axi_queue_wait(ax_task *me, axi_list *list, void *item) {
    if (axi_dead_stack(me->loop, item)) return ax_done(AX_EFAULT);
    me->u.data = item;
    return axi_wait_in(me, list);
}

AX_API ax_op ax_queue_put(ax_task *me, ax_queue *q, const void *item) {
    int rc;
    AXI_REFUSE(me);
    if (axi_dead_stack(me->loop, q->storage)) return ax_done(AX_EFAULT);
    rc = ax_queue_try_put(q, item);
    return rc == AX_EAGAIN ? axi_queue_wait(me, &q->putters, (void *)(uintptr_t)item) : ax_done(rc);
}

AX_API ax_op ax_queue_get(ax_task *me, ax_queue *q, void *item) {
    int rc;
    AXI_REFUSE(me);
    if (axi_dead_stack(me->loop, q->storage)) return ax_done(AX_EFAULT);
    rc = ax_queue_try_get(q, item);
    return rc == AX_EAGAIN ? axi_queue_wait(me, &q->getters, item) : ax_done(rc);
}

AX_API void ax_queue_close(ax_queue *q) {
    q->closed = 1;
    axi_wake_all(&q->getters, 0); /* they wait, so it is empty */
    axi_wake_all(&q->putters, AX_EPIPE);
}

static void axi_queue_finished(ax_queue *q) {
    if (q->unfinished && !--q->unfinished) axi_wake_all(&q->joiners, 0);
}

AX_API void ax_queue_close_now(ax_queue *q, void (*drop)(void *item, void *arg), void *arg) {
    ax_queue_close(q);
    while (q->count) {
        void *item = axi_queue_take(q); /* off first: drop may look at the queue; the slot stays, since nothing can be put */
        if (drop) drop(item, arg);
        axi_queue_finished(q);
    }
}

AX_API int ax_queue_task_done(ax_queue *q) {
    if (!q->unfinished) return axi_misuse(NULL, AX_EINVAL, "ax_queue_task_done for more items than were put");
    axi_queue_finished(q);
    return 0;
}

AX_API ax_op ax_queue_join(ax_task *me, ax_queue *q) {
    AXI_REFUSE(me);
    return q->unfinished ? axi_wait_in(me, &q->joiners) : ax_done(0);
}

#if AXI_GENERATORS
/* ---- 11 Generators ---- */

/* A generator that pauses is parked; what cancels it meanwhile (a limit, a child) waits until it goes on. */
static int axi_forget_paused(ax_task *t, void *generator) {
    (void)t;
    (void)generator;
    return AX_STAY;
}

AX_API ax_frame *axi_generator_new(ax_task *me, ax_generator *g, ax_frame *f) {
    int rc = axi_openable(me, &g->entry);
    g->refused = g->entry.flags & AXI_LIVE;
    if (g->refused) return NULL;
    if (rc >= 0) rc = axi_timer_reserve(me->loop, 1);
    g->state = AXI_UNOPENED;
    g->error = rc;
    return rc >= 0 ? f : NULL;
}

static int axi_forget_item(ax_task *t, void *generator) {
    ax_generator *g = (ax_generator *)generator;
    (void)t;
    if (g->state != AXI_GOING) { /* not entered yet */
        g->user = NULL;
        for (; g->asked; g->asked--) axi_take_back(&g->task, 0);
        return 0;
    }
    g->asked++;
    axi_request(&g->task);
    return AX_STAY;
}

AX_API ax_op ax_next(ax_task *me, ax_generator *g) {
    int unmet;
    if (g->state == AXI_UNOPENED)
        return ax_done(g->error < 0 ? g->error : axi_misuse(me->loop, AX_EPERM, "ax_next on a generator that is not open"));
    if (g->state == AXI_EXHAUSTED) return ax_done(0);
    if (axi_elsewhere(me, g->task.loop)) return ax_done(AX_EPERM);
    if (g->state >= AXI_GOING || g->refused) {
        g->refused = 0;
        return ax_done(AX_EBUSY);
    }
    g->state = AXI_PAUSED; /* asked: its cleanup will run, also if it is not entered now */
    AXI_REFUSE(me);
    g->user = me;
    unmet = me->node.flags & AXI_UNMET; /* is met where the generator waits, if it does */
    me->node.flags &= (unsigned char)~AXI_UNMET;
    axi_park(me, axi_forget_item, g);
    if (me->node.state != AXI_PARKED) return axi_op(AXI_PENDING); /* its limit was due: that has met the other request too */
    if (unmet) {
        me->node.flags |= AXI_ASKED;
        g->asked = 1;
        axi_request(&g->task);
    }
    return axi_op(AXI_SWITCHED);
}

static ax_task *axi_generator_enter(ax_task *user) {
    ax_generator *g = (ax_generator *)user->obj;
    g->state = AXI_GOING;
    g->task.node.state = AXI_RUNNING;
    axi_answer(&g->task, 0);
    return &g->task;
}

static int axi_may_emit(ax_task *t, const ax_frame *f, int *rc) {
    if (t->node.flags & AXI_GENERATES) {
        if (!f->entry.up) return 1;
        AXI_GENERATOR_OF(t)->error = AX_EPERM;
    }
    axi_misuse(t->loop, 0, "AX_EMIT outside of a generator's own body");
    t->node.bad = AXI_FAILED;
    t->rc = AX_EPERM;
    *rc = AXI_LEFT;
    return 0;
}

/* Makes a generator that pauses leave at its AX_EMIT. */
static void axi_generator_stop(ax_generator *g) {
    g->state = AXI_CLOSING;
    g->task.forget = NULL;
    g->task.node.flags &= (unsigned char)~AXI_ASKED;
    if (!AXI_AT_OF(g->task.frame)) { /* asked, but never entered: a task that has not started */
        g->task.node.state = AXI_FRESH;
        axi_enqueue_task(g->task.loop, &g->task.node.link);
    }
    axi_request(&g->task);
}

static ax_task *axi_generator_pause(ax_task *t) {
    ax_generator *g = AXI_GENERATOR_OF(t);
    ax_task *user = g->user;
    int pressed;
    g->user = NULL;
    for (; g->asked; g->asked--) axi_take_back(t, 0);
    g->state = AXI_PAUSED;
    t->node.flags &= (unsigned char)~AXI_WOKEN;
    pressed = t->node.flags & AXI_PRESSED;
    axi_park(t, axi_forget_paused, g);
    if (t->node.flags & AXI_ASKED) t->node.flags |= (unsigned char)pressed; /* the pause meets no request */
    if (g->closing) axi_generator_stop(g);
    if (user) user->rc = axi_answer(user, 1);
    return user;
}

static void axi_generator_shut(ax_generator *g) {
    g->state = AXI_EXHAUSTED;
    axi_shut(g->opener, &g->entry);
}

static ax_task *axi_generator_end(ax_generator *g, int status) {
    ax_task *user = g->user, *t;
    int closed = status >= 0 || status == AX_ECANCELED ? g->error : status; /* for those who wanted it to end */
    axi_generator_shut(g);
    while ((t = axi_first(&g->task.waiters)) != NULL)
        if (!AXI_IS_TASK(&t->node)) axi_queue_callback(g->task.loop, (ax_callback *)(void *)t);
        else axi_wake(t, t->frame->entry.flags & AXI_UNWINDING && t->node.flags & AXI_ASKED ? AXI_OWN : closed);
    if (!user) return NULL;
    user->rc = axi_answer(user, status == AX_ECANCELED && (user->node.flags & AXI_ASKED || !g->closing) ? status : closed);
    return user;
}

static int axi_forget_close(ax_task *t, void *generator) { /* its cleanup hears of it */
    (void)t;
    axi_request(&((ax_generator *)generator)->task);
    return AX_STAY;
}

static ax_op axi_generator_await(ax_task *t, ax_generator *g) {
    axi_push(&g->task.waiters, &t->node.link);
    return axi_park(t, axi_forget_close, g);
}

/* One that never started ends at once. */
static int axi_generator_unbegun(ax_generator *g) {
    if (g->state != AXI_UNBEGUN) return 0;
    g->task.node.state = AXI_DONE;
    axi_timer_unreserve(g->task.loop);
    axi_generator_shut(g);
    return 1;
}

AX_API ax_op ax_generator_close(ax_task *me, ax_generator *g) {
    if (g->state == AXI_UNOPENED || g->state == AXI_EXHAUSTED) return ax_done(0);
    if (axi_elsewhere(me, g->task.loop)) return ax_done(AX_EPERM);
    if (axi_generator_unbegun(g)) return ax_done(0);
    if (g->state != AXI_PAUSED) return ax_done(AX_EBUSY);
    AXI_REFUSE(me);
    axi_generator_stop(g);
    return axi_generator_await(me, g);
}

/* The frame that opened it is left. */
static int axi_close_generator(ax_task *t, axi_entry *e, int status) {
    ax_generator *g = (ax_generator *)(void *)e;
    if (axi_generator_unbegun(g)) return status;
    g->closing = 1;
    if (g->state == AXI_PAUSED) axi_generator_stop(g);
    else if (g->state == AXI_GOING) axi_request(&g->task);
    return axi_generator_await(t, g).axi;
}

static const struct axi_generators axi_generators = {axi_generator_enter, axi_generator_pause, axi_generator_end};

AX_API int axi_generator_open(ax_task *me, ax_generator *g, ax_frame *f, const struct axi_fn *fn) {
    if (!f) return g->state == AXI_UNOPENED ? g->error : AX_EBUSY;
    if (axi_dead_argument(me->loop, f, fn)) {
        axi_timer_unreserve(me->loop);
        return g->error = AX_EFAULT;
    }
    g->task.loop = me->loop;
    g->task.group = NULL;
    g->task.node.flags = AXI_GENERATES;
    axi_task_init(&g->task, f, fn);
    g->task.node.state = AXI_PARKED;
    g->task.forget = axi_forget_paused;
    g->opener = me;
    g->user = NULL;
    g->state = AXI_UNBEGUN;
    g->asked = g->closing = 0;
    me->loop->generators = &axi_generators;
    axi_open(me, &g->entry, AXI_GENERATOR, axi_close_generator);
    return 0;
}

#endif

#if AXI_CANCEL
/* For a loop that closes on a task that can't end: its children and generators become the root's. */
static void axi_orphan(ax_loop *loop, const ax_task *t) {
    axi_entry *e;
    for (e = t->top; e; e = e->up) {
        ax_group *g = (ax_group *)(void *)e;
#if AXI_GENERATORS
        if (e->kind == AXI_GENERATOR) axi_push(&loop->root.children, &((ax_generator *)(void *)e)->task.sibling);
#endif
        if (e->kind != AXI_GROUP) continue;
        while (g->children.ring) axi_push(&loop->root.children, axi_pop(&g->children));
        axi_group_drop_ended(g);
    }
}

/* Its wait is undone: nobody will wake it. */
static void axi_leave_wait(ax_task *t) {
    int stays = t->node.state == AXI_PARKED && t->forget && t->forget != axi_forget_join && t->forget(t, t->obj) == AX_STAY;
    if (stays && t->node.state == AXI_PARKED && t->forget == axi_forget_future)
        (void)axi_forget_list(t, &((ax_future *)t->obj)->waiters); /* its operation may still complete it */
    t->node.state = AXI_DONE;
    t->rc = AX_ECANCELED;
}

/* Once nobody of them waits: what outlives the loop forgets it. */
static void axi_leave_rest(ax_task *t) {
    axi_entry *e, *up;
    while (t->waiters.ring) {
        axi_node *node = (axi_node *)(void *)axi_pop(&t->waiters);
        if (!AXI_IS_TASK(node)) ((ax_callback *)(void *)node)->list = NULL;
    }
    for (e = t->top; e; e = up) {
        up = e->up;
        if (e->kind == AXI_FRAME) {
            e->flags &= AXI_OWNED;
            continue;
        }
        if (e->kind == AXI_MUTEX) {
            ((ax_mutex *)(void *)e)->owner = NULL;
            ((ax_mutex *)(void *)e)->waiters.ring = NULL; /* who waits to lock it again is gone, too */
        }
        if (e->kind == AXI_GROUP) ((ax_group *)(void *)e)->flags = 0;
#if AXI_GENERATORS
        if (e->kind == AXI_GENERATOR) ((ax_generator *)(void *)e)->state = AXI_EXHAUSTED;
#endif
        axi_shut(t, e);
    }
}

/* Tasks that can't end, which the close reports, in order of their spawns: their cleanup does not run. */
static void axi_give_up(ax_loop *loop, axi_list *all) {
    axi_link *link;
    all->ring = NULL;
    while (loop->root.children.ring) {
        link = axi_pop(&loop->root.children);
        axi_push(all, link);
        axi_orphan(loop, AXI_TASK_OF(sibling, link));
    }
    for (link = axi_head(all); link; link = axi_after(all, link)) axi_leave_wait(AXI_TASK_OF(sibling, link));
    for (link = axi_head(all); link; link = axi_after(all, link)) axi_leave_rest(AXI_TASK_OF(sibling, link));
}

/* The loop closes: what has not been asked to end is, also where the root's tasks were once by hand. */
static void axi_cancel_all(ax_loop *loop) {
    axi_link *child;
    axi_group_abort(&loop->root);
    for (child = axi_head(&loop->root.children); child; child = axi_after(&loop->root.children, child))
        if (!AXI_TASK_OF(sibling, child)->node.count) axi_request(AXI_TASK_OF(sibling, child));
}
#endif

#ifndef ASYNCX_FREESTANDING
/* ---- 12 The loop ---- */

/* What only the implementation sees: the descriptors' table, the backend, the wake-up pipe and the threads. */
struct axi_wait;
typedef int axi_attempt(int fd, struct axi_wait *wait, unsigned events);
struct axi_wait { /* a task that waits on one direction of a descriptor, and what to do for it there */
    ax_task *task;
    axi_attempt *attempt;
    void *data; /* while nobody waits: who did so last */
    size_t size;
};
struct axi_fd {
    struct axi_wait wait[2]; /* AXI_READS, AXI_WRITES */
    ax_watch *watches;
    unsigned char wanted, told; /* the events that were wanted at the last look; those that the backend waits for */
    unsigned char dirty : 1;    /* what is wanted may have changed */
    unsigned char doubt : 1;    /* it may have been closed and come anew */
    unsigned char paused : 1;   /* a listener while accept() can't: it is not waited for */
    unsigned char plain : 1;    /* no socket: recv() and send() refuse it */
    unsigned char checked : 1;  /* whether it blocks */
    unsigned char served : 1;   /* a connection of ax_server, which closes it */
    unsigned char turn, streak; /* operations in this turn that did not wait */
    unsigned char in_vain;      /* 0; or a read was tried in vain: 1 + how many have since waited untried */
    unsigned in_vain_size;      /* of how many bytes */
};
enum { AXI_READS, AXI_WRITES };
struct axi_job {
    ax_callback done;
    struct axi_job *next;
    struct axi_pool *pool;
    ax_task *task;
    int (*fn)(void *), (*cancel)(void *);
    void *data; /* the waiter's; the copy follows the struct */
    size_t size;
    int status, state;
};
struct axi_pool {
    struct axi_pool *next; /* of the loop's */
    ax_loop *loop;         /* NULL once it has left its threads to themselves */
    size_t size;
    axi_list waiters;      /* for its end */
    ax_callback gone;
    int own_memory;        /* its threads may free() it */
    pthread_mutex_t lock;  /* of all that follows, and of its jobs' states */
    pthread_cond_t work, end;
    struct axi_job *first, **last;
    unsigned started, alive, idle, queued, most_threads;
    unsigned jobs, most_jobs; /* not done yet; 0: any number */
    int closing;
    pthread_t *thread; /* most_threads of them */
};
struct axi_signal {
    struct axi_signal *next;
    int number, blocked; /* it was, in the loop's thread */
    int kept;            /* it came, and nobody waited */
    struct sigaction old;
    axi_list waiters;
};
struct axi_sys {
    void *state;          /* the backend's, */
    int opened;           /* once it has one to close */
    int pipe[2];
    ax_watch wake;
    ax_timer again;       /* for accept(), when it ran out of descriptors, */
    int starved;          /* which has been reported, until one is accepted */
    struct axi_pool *pool, *pools; /* ax_to_thread's; all */
    void (*end_pools)(ax_loop *);  /* set with the first: a program without threads does not link it */
    int pools_ended;               /* the loop closes: there are none any more */
    struct axi_signal *signals;
    unsigned stops, came, asked;   /* AX_CATCH_SIGINT and the like: what AX_RUN caught; what came; what main is to hear of; */
    unsigned late;                 /* which found main woken already: for the run around, if main ends and has not met it; */
    struct sigaction before[2];    /* what was there, by place in axi_stops, */
    ax_loop *outer;                /* and the loop of this thread that caught signals until then */
};
#define AXI_SYS(loop) ((struct axi_sys *)(loop)->sys)
enum { AXI_SYS_SIZE = (sizeof(struct axi_sys) + 15) / 16 * 16 }; /* the backend's state follows */

/* Posts meet the closing of their loop here. One lock for all loops, so that it outlives each; it is held for a few instructions
   and at most one write to a pipe. */
static pthread_mutex_t axi_post_lock = PTHREAD_MUTEX_INITIALIZER;

#if defined(__GNUC__)
#define AXI_LOAD(x) __atomic_load_n(&(x), __ATOMIC_SEQ_CST)
#define AXI_STORE(x, value) __atomic_store_n(&(x), (value), __ATOMIC_RELEASE)
#define AXI_ADD(x, by) __atomic_add_fetch(&(x), (by), __ATOMIC_SEQ_CST)
#define AXI_SWAP(x, value) ((void)__atomic_exchange_n(&(x), (value), __ATOMIC_SEQ_CST)) /* what is read next is not from before */
#define AXI_POSTED(loop) AXI_LOAD((loop)->posted)
#define AXI_SET_POSTED(loop, c) AXI_STORE((loop)->posted, (c))
#else
#define AXI_LOAD(x) (x)
#define AXI_STORE(x, value) ((void)((x) = (value)))
#define AXI_ADD(x, by) 0
#define AXI_SWAP(x, value) AXI_STORE(x, value)
static ax_callback *axi_posted(ax_loop *loop) {
    ax_callback *c;
    pthread_mutex_lock(&axi_post_lock);
    c = loop->posted;
    pthread_mutex_unlock(&axi_post_lock);
    return c;
}
#define AXI_POSTED(loop) axi_posted(loop)
#define AXI_SET_POSTED(loop, c) ((loop)->posted = (c))
#endif

/* Signals that came, by number, and whether any did. The handler writes to the pipe of the loop that catches them. */
enum { AXI_SIGNALS = 65 };
static volatile sig_atomic_t axi_came[AXI_SIGNALS];
static volatile sig_atomic_t axi_signal_pipe = -1;
static volatile sig_atomic_t axi_handling; /* handlers at work, on any thread */
static ax_loop *volatile axi_signal_loop;
static volatile uintptr_t axi_signal_thread; /* whose it is: another thread's loop may be gone at any time */

static void axi_poke(struct axi_sys *sys) { /* async-signal-safe; a full pipe wakes as well */
    int saved = errno;
    while (write(sys->pipe[1], "", 1) < 0 && errno == EINTR) {}
    errno = saved;
}

static void axi_take_posts(ax_loop *loop) {
    ax_callback *c, *next;
    if (!AXI_POSTED(loop)) return;
    loop->woken = 1;
    pthread_mutex_lock(&axi_post_lock);
    c = loop->posted;
    AXI_SET_POSTED(loop, NULL);
    loop->posted_end = &loop->posted;
    pthread_mutex_unlock(&axi_post_lock);
    for (; c; c = next) {
        next = c->posted;
        c->posted = NULL;
        axi_queue_callback(loop, c);
    }
}

static void axi_drain_pipe(ax_loop *loop, unsigned events, void *arg) {
    char bytes[64];
    (void)events;
    (void)arg;
    while (read(AXI_SYS(loop)->pipe[0], bytes, sizeof bytes) == (ssize_t)sizeof bytes) {}
}

AX_API int ax_post(ax_loop *loop, ax_callback *c, ax_fn *fn, void *arg) {
    int rc = 0;
    pthread_mutex_lock(&axi_post_lock);
    if (!loop->takes_posts) {
        rc = AX_EPERM;
    } else if (c->node.state == AXI_POSTED || c->list) { /* a list without a post: of this thread's own loop */
        int runs = c->node.state == AXI_POSTED || c->list == &loop->ready;
        rc = runs && c->loop == loop && c->fn == fn && c->arg == arg ? 0 : AX_EBUSY;
    } else {
        int was_empty = loop->posted_end == &loop->posted;
        c->node.kind = AXI_CALLBACK;
        c->node.state = AXI_POSTED;
        c->loop = loop;
        c->fn = fn;
        c->arg = arg;
        c->posted = NULL;
        if (was_empty) AXI_SET_POSTED(loop, c);
        else *loop->posted_end = c;
        loop->posted_end = &c->posted;
        if (was_empty) axi_poke(AXI_SYS(loop));
    }
    pthread_mutex_unlock(&axi_post_lock);
    return rc;
}

#endif /* ASYNCX_FREESTANDING */

AX_API size_t ax_loop_memory(const ax_loop *loop, size_t *peak) {
    if (peak) *peak = loop->peak;
    return loop->used;
}

#if AXI_CANCEL
AX_API int ax_soon(ax_loop *loop, ax_callback *c, ax_fn *fn, void *arg) {
    return axi_callback_on(c, loop, &loop->ready, fn, arg);
}

AX_API int ax_at_close(ax_loop *loop, ax_callback *c, ax_fn *fn, void *arg) {
    return axi_callback_on(c, loop, &loop->closers, fn, arg);
}

/* The last callback of this turn is stopped: the turn ends where it was. */
static void axi_leave_turn(ax_loop *loop, axi_link *link) {
#ifndef ASYNCX_FREESTANDING
    axi_link *nobody = &loop->nobody.node.link;
    if (loop->turn_last != link || loop->running == link) return; /* the one that runs has been queued anew: not for this turn */
    nobody->prev = link->prev;
    nobody->next = link;
    nobody->prev->next = link->prev = loop->turn_last = nobody;
#else
    if (loop->turn_last != link) return;
    loop->turn_last = axi_head(&loop->ready);
    if (loop->turn_last == link) loop->turn_last = NULL; /* there was none */
    else while (loop->turn_last->next != link) loop->turn_last = loop->turn_last->next;
#endif
}

AX_API int ax_callback_stop(ax_callback *c) {
    int stopped = c->list != NULL;
    if (stopped) {
        if (c->list == &c->loop->ready) {
            axi_close_ring(c->loop);
            axi_leave_turn(c->loop, &c->node.link);
        }
        axi_take(c->list, &c->node.link);
    }
    c->list = NULL;
#ifndef ASYNCX_FREESTANDING
    if (c->node.state == AXI_POSTED) { /* posted; perhaps not taken yet */
        ax_callback **at;
        pthread_mutex_lock(&axi_post_lock);
        for (at = &c->loop->posted; !stopped && *at; at = &(*at)->posted) {
            if (*at != c) continue;
            *at = c->posted;
            if (c->loop->posted_end == &c->posted) c->loop->posted_end = at;
            stopped = 1;
            break;
        }
        c->node.state = 0;
        pthread_mutex_unlock(&axi_post_lock);
    }
#endif
    return stopped;
}

static void axi_timer_keeps(ax_timer *t, int armed) { /* what a timer counts for while it is armed */
    t->armed = armed;
    if (t->background) return;
    if (armed) t->callback.loop->alive++;
    else t->callback.loop->alive--;
}

#ifndef ASYNCX_FREESTANDING
static void axi_timer_over(ax_timer *t) {
    axi_timer_unreserve(t->callback.loop);
    axi_timer_keeps(t, 0);
}

static void axi_nothing(ax_loop *loop, void *arg) { (void)loop, (void)arg; }
#endif

static void axi_run_callback(ax_loop *loop, ax_callback *c) {
    c->list = NULL;
#ifndef ASYNCX_FREESTANDING
    if (c->node.state == AXI_POSTED) { /* from now on another thread may post it again */
        ax_fn *fn = c->fn;
        void *arg = c->arg;
        pthread_mutex_lock(&axi_post_lock);
        c->node.state = 0;
        pthread_mutex_unlock(&axi_post_lock);
        fn(loop, arg);
        return;
    }
    if (c->node.kind == AXI_TIMED) axi_timer_over((ax_timer *)(void *)c);
#endif
    c->fn(loop, c->arg);
}

#ifndef ASYNCX_FREESTANDING
AX_API void ax_loop_hold(ax_loop *loop) { loop->holds++; }
AX_API void ax_loop_release(ax_loop *loop) {
    if (loop->holds) loop->holds--;
}

/* An armed one is in the heap; or, if it was due but has not run, in the ready queue; or, at AX_FOREVER, nowhere. */
static void axi_timer_off(ax_timer *t) {
    if (t->callback.node.timer) axi_timer_drop(t->callback.loop, &t->callback.node);
    else ax_callback_stop(&t->callback);
}

AX_API int ax_timer_start(ax_loop *loop, ax_timer *t, ax_time when, ax_fn *fn, void *arg) {
    if (axi_foreign(loop) || loop->state == AXI_CLOSED) return AX_EPERM;
    if (axi_dead_stack(loop, t) || axi_dead_stack(loop, arg)) return AX_EFAULT;
    if (t->armed && t->callback.loop != loop) return AX_EBUSY;
    if (t->armed) {
        axi_timer_off(t);
    } else {
        if (axi_timer_reserve(loop, 1) < 0) return AX_ENOMEM;
        t->callback.node.kind = AXI_TIMED;
        t->callback.loop = loop;
        axi_timer_keeps(t, 1);
    }
    t->callback.fn = fn;
    t->callback.arg = arg;
    t->when = when;
    axi_timer_set(loop, &t->callback.node, &t->when, AXI_NEXT_SEQ(loop)); /* one at AX_FOREVER, too: the close finds it there */
    return 0;
}

AX_API int ax_timer_stop(ax_timer *t) {
    if (!t->armed) return 0;
    axi_timer_off(t);
    axi_timer_over(t);
    return 1;
}
#else /* there axi_run_callback does not ask what is a timer, so that those who use none pay nothing for it */
static void axi_timer_fire(ax_loop *loop, void *timer) {
    ax_timer *t = (ax_timer *)timer;
    axi_timer_keeps(t, 0);
    t->fn(loop, t->arg);
}

AX_API int ax_timer_start(ax_loop *loop, ax_timer *t, ax_time when, ax_fn *fn, void *arg) {
    if (axi_foreign(loop) || loop->state == AXI_CLOSED) return AX_EPERM;
    if (axi_dead_stack(loop, t) || axi_dead_stack(loop, arg)) return AX_EFAULT;
    if (t->armed && t->callback.loop != loop) return AX_EBUSY;
    if (!t->armed) {
        AXI_SET_KIND(&t->callback.node, AXI_CALLBACK);
        t->callback.loop = loop;
        axi_timer_keeps(t, 1);
    }
    ax_callback_stop(&t->callback); /* if it was due, but has not run */
    axi_timer_drop(loop, &t->callback.node);
    t->callback.fn = axi_timer_fire;
    t->callback.arg = t;
    t->fn = fn;
    t->arg = arg;
    t->when = when;
    if (when != AX_FOREVER) axi_timer_set(loop, &t->callback.node, &t->when, 0);
    return 0;
}

AX_API int ax_timer_stop(ax_timer *t) {
    if (!t->armed) return 0;
    axi_timer_drop(t->callback.loop, &t->callback.node);
    ax_callback_stop(&t->callback);
    axi_timer_keeps(t, 0);
    return 1;
}
#endif

AX_API void ax_timer_unref(ax_timer *t) {
    if (t->armed && !t->background) t->callback.loop->alive--;
    t->background = 1;
}

#endif

/* Queues what has become due, in order of deadline, behind what is ready. Nothing runs in here, so a timer that starts
   itself anew with a past deadline runs once a turn. */
static void axi_run_timers(ax_loop *loop) {
    if (!axi_any_timer(loop)) return;
    axi_clock(loop);
    while (axi_any_timer(loop) && axi_reached(AXI_FIRST_WHEN(loop), &loop->now)) {
        axi_node *node = axi_next_timer(loop);
        ax_task *t = (ax_task *)(void *)node;
        axi_timer_drop(loop, node);
        axi_fetch_next(loop); /* the memory of the next one, while this one is woken */
#if AXI_CANCEL
        if (!AXI_IS_TASK(node)) {
            axi_queue_callback(loop, (ax_callback *)(void *)node);
            continue;
        }
        axi_fetch_neighbours(t); /* which it will touch when it ends */
        if (axi_task_when(t) == &t->u.wake) {
            if (t->forget) t->forget(t, t->obj); /* it was in a list as well */
            axi_wake(t, 0);
        } else {
            axi_expire(t);
        }
        if (!AXI_FAST || t->node.flags & (AXI_BOUND | AXI_SLEEPS)) axi_arm(t);
#else
        t->node.flags &= (unsigned char)~AXI_SLEEPS;
        axi_wake(t, 0);
#endif
    }
}

#ifndef ASYNCX_FREESTANDING
/* ---- 13 File descriptors: the table ---- */

/* The table grows with the highest descriptor, and with it all that a wait may need later. */
static int axi_fd_reserve(ax_loop *loop, unsigned fds) {
    struct axi_sys *sys = AXI_SYS(loop);
    unsigned all = axi_grown(loop->fd_cap, fds); /* the backend is not asked again for those */
    int rc = all > INT_MAX ? AX_ENOMEM : loop->desc.backend->reserve(loop, sys->state, all);
    if (rc >= 0) rc = axi_grow(loop, &loop->dirty, &loop->dirty_cap, 2 * all, sizeof *loop->dirty); /* twice: see axi_fd_sync */
    if (rc >= 0) rc = axi_grow(loop, &loop->fds, &loop->fd_cap, fds, sizeof *loop->fds);
    return rc;
}

#ifdef _WIN32
AX_API int ax_nonblocking(int fd) {
    u_long on = 1;
    SetHandleInformation((HANDLE)(uintptr_t)fd, HANDLE_FLAG_INHERIT, 0); /* refused where a provider's socket is no handle */
    return axi_win(ioctlsocket((SOCKET)fd, (long)FIONBIO, &on)) < 0 ? -errno : 0;
}

static int axi_above_2(int fd) { return fd; } /* handles are */

static int axi_fd_open(int fd) {
    int type;
    socklen_t size = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
}
#else
AX_API int ax_nonblocking(int fd) {
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || (fd > 2 && fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) ? -errno : 0;
}

/* In a program that was started without its standard streams, their numbers stay free: else printf() would write to a socket, and
   an accepted 0 end an AX_WHILE. */
static int axi_above_2(int fd) {
    int other, saved;
    if (fd < 0 || fd > 2) return fd;
    other = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    saved = errno;
    close(fd);
    errno = saved;
    return other;
}

static int axi_fd_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }
#endif

static struct axi_fd *axi_fd_known(ax_loop *loop, int fd) { /* or NULL */
    return (unsigned)fd < loop->fd_cap ? &loop->fds[fd] : NULL; /* one below 0 is too large */
}

AXI_SLOW static struct axi_fd *axi_fd_enter(ax_loop *loop, int fd, int *rc) {
    if (fd < 0) return *rc = AX_EBADF, (struct axi_fd *)NULL;
    if (!axi_fd_open(fd)) return *rc = -errno, (struct axi_fd *)NULL;
    if ((*rc = axi_fd_reserve(loop, (unsigned)fd + 1)) < 0) return NULL;
    return &loop->fds[fd];
}
static struct axi_fd *axi_fd_at(ax_loop *loop, int fd, int *rc) { /* or NULL and an error */
    struct axi_fd *e = axi_fd_known(loop, fd);
    return e ? e : axi_fd_enter(loop, fd, rc);
}

/* The interest of a descriptor may have changed: looked at once, before the next wait. A task that waits again in the
   meantime costs nothing. */
static void axi_fd_changed(ax_loop *loop, int fd) {
    if (loop->fds[fd].dirty) return;
    loop->fds[fd].dirty = 1;
    loop->alone = 0;
    loop->dirty[loop->dirty_count++] = fd;
}

static unsigned axi_fd_wanted(const struct axi_fd *e) {
    unsigned events = (e->wait[AXI_READS].task && !e->paused ? AX_IN : 0) | (e->wait[AXI_WRITES].task ? AX_OUT : 0);
    const ax_watch *w;
    for (w = e->watches; w; w = w->next) events |= w->events;
    return events;
}

static int axi_fd_tell(ax_loop *loop, int fd, unsigned events) {
    struct axi_fd *e = &loop->fds[fd];
    unsigned before = e->told;
    int rc;
    e->told = (unsigned char)events;
    e->doubt = 0;
    rc = loop->desc.backend->set(loop, AXI_SYS(loop)->state, fd, before, events);
    if (rc < 0 && before && events) (void)loop->desc.backend->set(loop, AXI_SYS(loop)->state, fd, before, 0);
    if (rc < 0) e->told = 0;
    return rc;
}

/* Ends the waits of a descriptor with an error. */
static void axi_fd_fail(ax_loop *loop, int fd, int status) {
    int way;
    for (way = AXI_READS; way <= AXI_WRITES; way++) {
        ax_task *t = loop->fds[fd].wait[way].task;
        loop->fds[fd].wait[way].task = NULL;
        if (t) axi_wake(t, status);
    }
    axi_fd_changed(loop, fd);
}

/* Tells the backend what has changed; what changes meanwhile, in a callback that hears of an error, is for the next turn,
   and stands behind it. */
static void axi_fd_sync(ax_loop *loop) {
    unsigned i, n = loop->dirty_count;
    for (i = 0; i < n; i++) {
        int fd = loop->dirty[i], rc;
        struct axi_fd *e = &loop->fds[fd];
        unsigned want = axi_fd_wanted(e);
        e->dirty = 0;
        if (want == e->wanted && !e->doubt) continue;
        loop->wanted += (want != 0) - (unsigned)(e->wanted != 0);
        e->wanted = (unsigned char)want;
        if (!want && (loop->desc.backend->lazy || !e->told)) continue;
        rc = axi_fd_tell(loop, fd, want);
        if (rc >= 0 || !want) continue;
        axi_fd_fail(loop, fd, rc);
        loop->polls++;
        ax_fd_ready(loop, fd, rc == AX_EBADF ? AX_NVAL : AX_ERR);
    }
    if (!n) return;
    loop->dirty_count -= n;
    memmove(loop->dirty, loop->dirty + n, loop->dirty_count * sizeof *loop->dirty);
}

static void axi_say(ax_loop *loop, const char *what, const ax_where *w, ax_time took) {
    char text[200], ms[40] = "", line[16] = "";
    if (!loop->desc.report) return;
    if (took >= 0) snprintf(ms, sizeof ms, "%.3f ms in ", (double)took / 1e6);
    if (w->line) snprintf(line, sizeof line, ":%d", w->line);
    snprintf(text, sizeof text, "%s: %s%s (%s%s)", what, ms, w->function, w->file, line);
    loop->desc.report(loop->desc.report_ctx, text);
}

/* With desc.slow, around a step or a callback (NULL: of a watch). */
struct axi_watched {
    ax_where where;
    ax_time start;
};
AXI_SLOW static void axi_step_begins(ax_loop *loop, axi_node *node, struct axi_watched *w) {
    static const ax_where callback = {"a callback", "", 0};
    w->where = node && node->kind == AXI_TASK ? ax_task_where((ax_task *)(void *)node) : callback;
    w->start = axi_clock(loop);
}
AXI_SLOW static void axi_step_ended(ax_loop *loop, const struct axi_watched *w) {
    ax_time took = axi_clock(loop) - w->start;
    if (took >= loop->desc.slow) axi_say(loop, "a step held the loop", &w->where, took);
}

/* Whether that is for who waits for these events: errors always are. */
static int axi_concerns(unsigned wanted, unsigned events) { return (events & (wanted | AX_ERR | AX_HUP | AX_NVAL)) != 0; }

/* The operation that waits there is attempted again. */
static void axi_fd_attempt(ax_loop *loop, int fd, int way, unsigned events) {
    struct axi_wait *w = &loop->fds[fd].wait[way];
    ax_task *t = w->task;
    int rc = w->attempt(fd, w, events);
    if (rc == AX_EAGAIN) return; /* spurious, or only a part went */
    w = &loop->fds[fd].wait[way]; /* a report hook may have made the table grow */
    w->task = NULL;
    w->data = t;
    axi_fd_changed(loop, fd);
    axi_wake(t, rc);
}

AXI_SLOW static void axi_fd_show(ax_loop *loop, int fd, unsigned events) { /* to all who wait for it */
    struct axi_watched watched;
    ax_watch *w, *next;
    if (!loop->fds[fd].wanted) { /* it was left with a lazy backend */
        (void)axi_fd_tell(loop, fd, 0);
        return;
    }
    if (events & AX_NVAL) loop->fds[fd].doubt = 1; /* its number may be another's soon */
    if (loop->fds[fd].wait[AXI_READS].task && axi_concerns(AX_IN, events)) axi_fd_attempt(loop, fd, AXI_READS, events);
    if (loop->fds[fd].wait[AXI_WRITES].task && axi_concerns(AX_OUT, events)) axi_fd_attempt(loop, fd, AXI_WRITES, events);
    for (w = loop->fds[fd].watches; w; w = next) {
        /* a callback may stop any watch: start again from the head, past those that had their turn */
        next = w->next;
        if (w->since == loop->polls || !w->events || !axi_concerns(w->events, events)) continue;
        w->since = loop->polls;
        if (loop->desc.slow) axi_step_begins(loop, NULL, &watched);
        w->fn(loop, events, w->arg);
        if (loop->desc.slow) axi_step_ended(loop, &watched);
        next = loop->fds[fd].watches;
    }
}

AX_API void ax_fd_ready(ax_loop *loop, int fd, unsigned events) {
    const struct axi_fd *e = &loop->fds[fd]; /* mostly only a reader waits */
    if (AXI_LIKELY(events == AX_IN && e->wait[AXI_READS].task && e->wanted && !e->watches))
        axi_fd_attempt(loop, fd, AXI_READS, events);
    else
        axi_fd_show(loop, fd, events);
}

/* Whether there is more to do, or to look at, without a wait. */
static int axi_more(ax_loop *loop) {
    return axi_any_ready(loop) || AXI_POSTED(loop) || loop->unfinished ||
           loop->hears || (AXI_LOAD(axi_came[0]) && AXI_LOAD(axi_signal_thread) == loop->thread);
}

static ax_time axi_until_next(ax_loop *loop) {
    ax_time next, now;
    if (axi_more(loop)) return 0;
    next = axi_next_when(loop);
    if (next == AX_FOREVER) return next;
    now = axi_clock(loop);
    return next > now ? next - now : 0;
}

/* Whether somebody waits there who makes no attempt of his own when it is ready. */
static axi_attempt axi_attempt_wait;
static int axi_only_told(const struct axi_fd *e) {
    return e->watches || e->wait[AXI_READS].attempt == axi_attempt_wait || e->wait[AXI_WRITES].attempt == axi_attempt_wait;
}

/* One look at the descriptors, at most one dispatch each. */
static int axi_look(ax_loop *loop, ax_time timeout) {
    struct axi_sys *sys = AXI_SYS(loop);
    loop->unfinished = 0;
    if (timeout == 0 && !loop->wanted && !AXI_POSTED(loop) && !loop->woken) return 0; /* only the wake-up pipe, and that is empty */
    if (!loop->wanted) loop->woken = 0; /* else it may be among those that this look does not reach */
    loop->polls++;
    return loop->desc.backend->wait(loop, sys->state, timeout);
}

/* ---- 13 File descriptors: the backends ---- */

static int axi_no_open(ax_loop *loop, void *self) {
    (void)loop;
    (void)self;
    return 0;
}

static int axi_wait_error(void) { return errno == EINTR || errno == EAGAIN ? 0 : -errno; }

static ax_time axi_whole_ms(ax_time time) { /* as these calls take it; rounded up: never early */
    ax_time ms = time / 1000000 + (time % 1000000 != 0);
    return time == AX_FOREVER ? -1 : ms < INT_MAX ? ms : INT_MAX;
}

AXI_INLINE struct timespec axi_timespec(ax_time time) {
    struct timespec ts;
    if (time > (ax_time)INT_MAX * 1000000000) time = (ax_time)INT_MAX * 1000000000; /* a 32-bit time_t: it looks, and waits again */
    ts.tv_sec = (time_t)(time / 1000000000);
    ts.tv_nsec = (long)(time % 1000000000);
    return ts;
}

/* The tasks run before more are told: then what the kernel has of a connection is still in the cache when its task answers. */
enum { AXI_TOLD_AT_ONCE = 64 };

/* poll(): one array of what is waited for. */
struct axi_poll {
    struct pollfd *polled;
    int *slot; /* by descriptor: 1 + place in the array */
    unsigned count, polled_cap, slot_cap;
    unsigned next, left; /* of the last poll(): from where it is still to be told, and of how many */
};

#define AXI_POLL_EVENTS(X) X(IN) X(OUT) X(PRI) X(ERR) X(HUP) X(NVAL)
#define AXI_X(e) &&(int)POLL##e == (int)AX_##e
enum { AXI_POLL_SAME = 1 AXI_POLL_EVENTS(AXI_X) }; /* as on Linux */
#undef AXI_X

static short axi_to_poll(unsigned events) {
    short p = 0;
    if (AXI_POLL_SAME) return (short)events;
#ifdef _WIN32
    events &= ~(unsigned)AX_PRI; /* which it refuses */
#endif
#define AXI_X(e) \
    if (events & AX_##e) p |= POLL##e;
    AXI_POLL_EVENTS(AXI_X)
#undef AXI_X
    return p;
}

static unsigned axi_from_poll(short p) {
    unsigned events = 0;
    if (AXI_POLL_SAME) return (unsigned short)p;
#define AXI_X(e) \
    if (p & POLL##e) events |= AX_##e;
    AXI_POLL_EVENTS(AXI_X)
#undef AXI_X
    return events;
}

static void axi_poll_close(ax_loop *loop, void *self) {
    struct axi_poll *p = (struct axi_poll *)self;
    axi_free(loop, p->polled, p->polled_cap * sizeof *p->polled);
    axi_free(loop, p->slot, p->slot_cap * sizeof *p->slot);
}

static int axi_poll_reserve(ax_loop *loop, void *self, unsigned fds) {
    struct axi_poll *p = (struct axi_poll *)self;
    int rc = axi_grow(loop, &p->polled, &p->polled_cap, fds, sizeof *p->polled);
    return rc < 0 ? rc : axi_grow(loop, &p->slot, &p->slot_cap, fds, sizeof *p->slot);
}

static int axi_poll_set(ax_loop *loop, void *self, int fd, unsigned before, unsigned events) {
    struct axi_poll *p = (struct axi_poll *)self;
    (void)loop;
    (void)before;
    if (events) {
        if (!p->slot[fd]) p->slot[fd] = (int)++p->count;
        p->polled[p->slot[fd] - 1].fd = fd;
        p->polled[p->slot[fd] - 1].events = axi_to_poll(events);
        p->polled[p->slot[fd] - 1].revents = 0;
    } else if (p->slot[fd]) { /* out of the array, since poll() tells of hang-ups always */
        struct pollfd *last = &p->polled[--p->count];
        p->slot[last->fd] = p->slot[fd];
        p->polled[p->slot[fd] - 1] = *last;
        p->slot[fd] = 0;
    }
    return 0;
}

#ifdef _WIN32
/* Once the other end has shut its direction down, WSAPoll() says so at once to who waits to write, and for ever: not too often. */
static void axi_win_pause(const struct pollfd *polled, unsigned count) {
    unsigned i;
    for (i = 0; i < count && (!polled[i].revents || (polled[i].revents == POLLHUP && !(polled[i].events & POLLIN))); i++) {}
    if (i == count) Sleep(1);
}
#endif

/* Tells of what is left of the last poll(), until it was enough. The array changes only between waits; axi_poll_set clears what it
   touches. Tasks that ran since (late) may have emptied a descriptor: an operation finds that out, others are told what holds now.
   Whether any was told. */
static int axi_poll_tell(ax_loop *loop, struct axi_poll *p, int late) {
    int told = 0;
    while (p->left && (told < AXI_TOLD_AT_ONCE || !axi_any_ready(loop))) {
        unsigned i = p->next;
        struct pollfd *ready;
        while (i < p->count && !p->polled[i].revents) i++;
        p->next = i + 1;
        if (i >= p->count) break;
        ready = &p->polled[i];
        p->left--;
        if (late && axi_only_told(&loop->fds[ready->fd]) && poll(ready, 1, 0) <= 0) continue;
        told++;
        ax_fd_ready(loop, ready->fd, axi_from_poll(ready->revents));
    }
    if (p->next >= p->count) p->left = 0;
    return told > 0;
}

static int axi_poll_wait(ax_loop *loop, void *self, ax_time timeout) {
    struct axi_poll *p = (struct axi_poll *)self;
    int n;
    if (p->left && axi_poll_tell(loop, p, 1)) {
        if (p->left || axi_any_ready(loop)) return 0;
        timeout = 0; /* what was told may have set an earlier timer, or have stopped the loop */
    }
#if (defined(__linux__) && defined(_GNU_SOURCE)) || defined(__FreeBSD__)
    if (timeout != AX_FOREVER) {
        struct timespec ts = axi_timespec(timeout);
        n = ppoll(p->polled, (nfds_t)p->count, &ts, NULL);
    } else
#endif
        n = poll(p->polled, (nfds_t)p->count, (int)axi_whole_ms(timeout));
    if (n < 0) return axi_wait_error();
#ifdef _WIN32
    if (n > 0 && timeout != 0) axi_win_pause(p->polled, p->count);
#endif
    p->next = 0;
    p->left = (unsigned)n;
    (void)axi_poll_tell(loop, p, 0);
    return 0;
}

static const ax_backend axi_poll = {sizeof(struct axi_poll), 0,            axi_no_open,  axi_poll_close,
                                    axi_poll_reserve,        axi_poll_set, axi_poll_wait};
#if defined(ASYNCX_EPOLL) && !defined(ASYNCX_BACKEND)
/* epoll: the kernel keeps the interest, so that a wait costs what is ready, not what is open. Level-triggered, as poll() is. */
struct axi_epoll {
    int fd;
    int coarse;            /* this kernel's waits know milliseconds only */
    struct axi_poll files; /* what epoll refuses since it is always ready, such as a regular file */
    struct epoll_event came[AXI_TOLD_AT_ONCE];
};
typedef char axi_epoll_has_the_numbers_of_poll[EPOLLIN == POLLIN && EPOLLOUT == POLLOUT && EPOLLPRI == POLLPRI &&
                                               EPOLLERR == POLLERR && EPOLLHUP == POLLHUP ? 1 : -1];

static int axi_epoll_open(ax_loop *loop, void *self) {
    struct axi_epoll *p = (struct axi_epoll *)self;
    (void)loop;
    p->fd = axi_above_2(epoll_create1(EPOLL_CLOEXEC));
    return p->fd < 0 ? -errno : 0;
}

static void axi_epoll_close(ax_loop *loop, void *self) {
    struct axi_epoll *p = (struct axi_epoll *)self;
    axi_poll_close(loop, &p->files);
    close(p->fd);
}

static int axi_no_reserve(ax_loop *loop, void *self, unsigned fds) {
    (void)loop;
    (void)self;
    (void)fds;
    return 0;
}

/* A descriptor that was closed behind the loop's back, while a duplicate of it is open, goes on to show events under a number that
   is its no more: nothing takes it out. All others move to a new set. */
static int axi_epoll_renew(ax_loop *loop, struct axi_epoll *p) {
    int set = axi_above_2(epoll_create1(EPOLL_CLOEXEC)), fd;
    if (set < 0) return -errno;
    close(p->fd);
    p->fd = set;
    for (fd = 0; fd < (int)loop->fd_cap; fd++) {
        struct axi_fd *e = &loop->fds[fd];
        if (!e->told) continue;
        e->told = 0;
        e->doubt = 1;
        axi_fd_changed(loop, fd);
    }
    return 0;
}

static int axi_epoll_set(ax_loop *loop, void *self, int fd, unsigned before, unsigned events) {
    struct axi_epoll *p = (struct axi_epoll *)self;
    int op = !events ? EPOLL_CTL_DEL : before ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, rc;
    struct epoll_event e;
    memset(&e, 0, sizeof e);
    e.events = (unsigned)axi_to_poll(events);
    e.data.fd = fd;
    if ((unsigned)fd < p->files.slot_cap) axi_poll_set(loop, &p->files, fd, before, 0); /* it may be another by now */
    rc = epoll_ctl(p->fd, op, fd, &e);
    if (rc < 0 && !events) return before ? 0 : axi_epoll_renew(loop, p); /* closed, and so gone from there; or not, it seems */
    if (rc < 0 && (errno == ENOENT || errno == EEXIST)) /* closed and come anew; or known by a number that was duplicated */
        rc = epoll_ctl(p->fd, errno == ENOENT ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &e);
    if (rc == 0) return 0;
    if (errno != EPERM) return -errno;
    if (!(events &= AX_IN | AX_OUT)) return 0; /* nothing that it ever shows */
    rc = axi_poll_reserve(loop, &p->files, (unsigned)fd + 1);
    return rc < 0 ? rc : axi_poll_set(loop, &p->files, fd, before, events);
}

static int axi_epoll_wait(ax_loop *loop, void *self, ax_time timeout) {
    struct axi_epoll *p = (struct axi_epoll *)self;
    const int most = sizeof p->came / sizeof *p->came, files = p->files.count != 0;
    int i, n = -1;
    if (files) timeout = 0;
#if defined(SYS_epoll_pwait2) && defined(_GNU_SOURCE) && LONG_MAX > INT_MAX
    if (timeout && timeout != AX_FOREVER && !p->coarse) {
        struct timespec ts = axi_timespec(timeout);
        n = (int)syscall(SYS_epoll_pwait2, p->fd, p->came, most, &ts, NULL, (size_t)0);
        if (n < 0 && (errno == ENOSYS || errno == EPERM)) p->coarse = 1; /* before Linux 5.11, or in a sandbox */
        else if (n < 0) return axi_wait_error();
    }
#endif
    if (n < 0 && (n = epoll_wait(p->fd, p->came, most, (int)axi_whole_ms(timeout))) < 0) return axi_wait_error();
    for (i = 0; i < n; i++) ax_fd_ready(loop, p->came[i].data.fd, axi_from_poll((short)p->came[i].events));
    return files ? axi_poll_wait(loop, &p->files, 0) : 0;
}

static const ax_backend axi_epoll = {sizeof(struct axi_epoll), 1,             axi_epoll_open, axi_epoll_close,
                                     axi_no_reserve,           axi_epoll_set, axi_epoll_wait};
#define ASYNCX_BACKEND (&axi_epoll)
#endif

#if defined(ASYNCX_KQUEUE) && !defined(ASYNCX_BACKEND)
/* kqueue: each direction of a descriptor is an event of its own; they are put together, for one dispatch. */
struct axi_kqueue {
    int fd;
    unsigned cap;
    unsigned char *shown; /* by descriptor: the events that came */
    struct kevent came[AXI_TOLD_AT_ONCE];
};

static int axi_kqueue_open(ax_loop *loop, void *self) {
    struct axi_kqueue *p = (struct axi_kqueue *)self;
    (void)loop;
    p->fd = axi_above_2(kqueue());
    if (p->fd >= 0) (void)fcntl(p->fd, F_SETFD, FD_CLOEXEC);
    return p->fd < 0 ? -errno : 0;
}

static void axi_kqueue_close(ax_loop *loop, void *self) {
    struct axi_kqueue *p = (struct axi_kqueue *)self;
    axi_free(loop, p->shown, p->cap);
    close(p->fd);
}

static int axi_kqueue_reserve(ax_loop *loop, void *self, unsigned fds) {
    struct axi_kqueue *p = (struct axi_kqueue *)self;
    return axi_grow(loop, &p->shown, &p->cap, fds, 1);
}

static int axi_kqueue_set(ax_loop *loop, void *self, int fd, unsigned before, unsigned events) {
    struct axi_kqueue *p = (struct axi_kqueue *)self;
    int way;
    (void)loop;
    if (events & AX_PRI) return AX_EINVAL; /* it has no such event */
    for (way = 0; way < 2; way++) {
        const unsigned event = way ? AX_OUT : AX_IN;
        struct kevent change;
        if (!((before | events) & event)) continue;
        EV_SET(&change, (uintptr_t)fd, way ? EVFILT_WRITE : EVFILT_READ, events & event ? EV_ADD : EV_DELETE, 0, 0, 0);
        if (kevent(p->fd, &change, 1, NULL, 0, NULL) < 0 && events & event) return -errno;
    }
    return 0;
}

static int axi_kqueue_wait(ax_loop *loop, void *self, ax_time timeout) {
    struct axi_kqueue *p = (struct axi_kqueue *)self;
    struct timespec ts = axi_timespec(timeout != AX_FOREVER ? timeout : 0);
    int i, n = kevent(p->fd, NULL, 0, p->came, sizeof p->came / sizeof *p->came, timeout != AX_FOREVER ? &ts : NULL);
    if (n < 0) return axi_wait_error();
    for (i = 0; i < n; i++) { /* the end of what can be read is no hang-up: the other direction may be open */
        const struct kevent *k = &p->came[i];
        unsigned events = k->filter == EVFILT_READ ? AX_IN : AX_OUT;
        if (k->flags & EV_EOF) events |= (k->fflags ? AX_ERR : 0) | (k->filter == EVFILT_WRITE ? AX_HUP : 0);
        if (k->flags & EV_ERROR) events |= AX_ERR;
        p->shown[k->ident] = (unsigned char)(p->shown[k->ident] | events);
    }
    for (i = 0; i < n; i++) {
        unsigned events = p->shown[p->came[i].ident];
        p->shown[p->came[i].ident] = 0;
        if (events) ax_fd_ready(loop, (int)p->came[i].ident, events);
    }
    return 0;
}

static const ax_backend axi_kqueue = {sizeof(struct axi_kqueue), 1,              axi_kqueue_open, axi_kqueue_close,
                                      axi_kqueue_reserve,        axi_kqueue_set, axi_kqueue_wait};
#define ASYNCX_BACKEND (&axi_kqueue)
#endif

#ifndef ASYNCX_BACKEND
#define ASYNCX_BACKEND (&axi_poll)
#endif

/* ---- 13 File descriptors: watches, waits and operations ---- */

AX_API int ax_watch_start(ax_loop *loop, ax_watch *w, int fd, unsigned events, ax_watch_fn *fn, void *arg) {
    int rc = 0;
    struct axi_fd *e;
    if (axi_foreign(loop) || loop->state == AXI_CLOSED) return AX_EPERM;
    if (axi_dead_stack(loop, w) || axi_dead_stack(loop, arg)) return AX_EFAULT;
    if (w->active) return AX_EBUSY;
    if (!(e = axi_fd_at(loop, fd, &rc))) return rc;
    w->loop = loop;
    w->fn = fn;
    w->arg = arg;
    w->fd = fd;
    w->events = events;
    w->since = loop->polls; /* events that were collected before are not its own */
    w->active = 1;
    w->next = e->watches;
    e->watches = w;
    if (!w->background) loop->alive++;
    e->doubt = 1;
    axi_fd_changed(loop, fd);
    return 0;
}

AX_API int ax_watch_set(ax_watch *w, unsigned events) {
    if (!w->active) return AX_EPERM;
    w->events = events;
    if (!w->loop->fds[w->fd].told) w->loop->fds[w->fd].doubt = 1; /* it was refused */
    axi_fd_changed(w->loop, w->fd);
    return 0;
}

AX_API int ax_watch_stop(ax_watch *w) {
    ax_watch **at;
    if (!w->active) return 0;
    for (at = &w->loop->fds[w->fd].watches; *at != w; at = &(*at)->next) {}
    *at = w->next;
    w->active = 0;
    if (!w->background) w->loop->alive--;
    axi_fd_changed(w->loop, w->fd);
    return 1;
}

AX_API void ax_watch_unref(ax_watch *w) {
    if (w->active && !w->background) w->loop->alive--;
    w->background = 1;
}

static int axi_forget_fd(ax_task *t, void *obj) {
    int fd = (int)(intptr_t)obj, rc = AX_EAGAIN;
    struct axi_fd *e = &t->loop->fds[fd];
    int way = e->wait[AXI_READS].task == t ? AXI_READS : AXI_WRITES;
    struct axi_wait now = e->wait[way];
    if (e->in_vain > 1 && way == AXI_READS && t->loop->state != AXI_CLOSED)
        rc = now.attempt(fd, &now, 0);      /* untried: what can complete does, all the same */
    t->loop->fds[fd].wait[way].task = NULL; /* a report hook may have made the table grow */
    axi_fd_changed(t->loop, fd);
    if (rc != AX_EAGAIN) axi_wake(t, rc);
    return 0;
}

static ax_op axi_fd_first_wait(ax_task *me, int fd, int way, axi_attempt *attempt, const void *data, size_t size);
static axi_attempt axi_attempt_writev;

/* Whether what the operation comes to when it goes on will be gone. */
#if ASYNCX_DEBUG
static int axi_dead_data(ax_loop *loop, axi_attempt *attempt, const void *data, size_t size) {
    const struct iovec *v = (const struct iovec *)data;
    if (axi_dead_stack(loop, data)) return 1;
    if (attempt == axi_attempt_writev)
        for (; size; size--, v++)
            if (v->iov_len && axi_dead_stack(loop, v->iov_base)) return 1;
    return 0;
}
#else
#define axi_dead_data(loop, attempt, data, size) 0
#endif

static ax_op axi_fd_wait(ax_task *me, int fd, int way, axi_attempt *attempt, const void *data, size_t size) {
    struct axi_fd *e = axi_fd_known(me->loop, fd);
    struct axi_wait *w;
    if (!e) return axi_fd_first_wait(me, fd, way, attempt, data, size);
    w = &e->wait[way];
    if (w->task) return ax_done(AX_EBUSY);
    if (axi_dead_data(me->loop, attempt, data, size)) return ax_done(AX_EFAULT);
    if (w->data != me || !e->told) e->doubt = 1; /* it was refused */
    w->task = me;
    w->attempt = attempt;
    w->data = (void *)(uintptr_t)data;
    w->size = size;
    axi_fd_changed(me->loop, fd);
    return axi_park(me, axi_forget_fd, (void *)(intptr_t)fd);
}
AXI_SLOW static ax_op axi_fd_first_wait(ax_task *me, int fd, int way, axi_attempt *attempt, const void *data, size_t size) {
    int rc = 0;
    return axi_fd_at(me->loop, fd, &rc) ? axi_fd_wait(me, fd, way, attempt, data, size) : ax_done(rc);
}

static int axi_fd_busy(ax_loop *loop, int fd, int way) { /* another task waits there */
    const struct axi_fd *e = axi_fd_known(loop, fd);
    return e && e->wait[way].task;
}

#if ASYNCX_DEBUG && !defined(_WIN32)
static void axi_must_not_block(ax_loop *loop, int fd, struct axi_fd *e) {
    struct stat st;
    int flags;
    if (e && e->checked) return;
    flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && !(flags & O_NONBLOCK) && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) { /* a file does not wait for others */
        char text[96];
        snprintf(text, sizeof text, "descriptor %d blocks, and the loop with it: make it non-blocking first (ax_nonblocking)", fd);
        axi_misuse(loop, 0, text);
    }
    if ((e = axi_fd_known(loop, fd)) != NULL) e->checked = 1; /* the hook may have made the table grow */
}
#else
#define axi_must_not_block(loop, fd, e) ((void)0)
#endif

/* Whether to try a read before it waits. Where that was in vain it mostly is again, as when requests come one by one: then every
   128th time only, to see whether that has changed. */
static int axi_worth_trying(struct axi_fd *e, size_t size) {
    if (!e->in_vain || e->in_vain_size != (unsigned)size) return 1;
    return ++e->in_vain > 128;
}

/* An operation is attempted first, and again when the descriptor is ready; AX_EAGAIN means that it waits. */
AXI_SLOW static ax_op axi_fd_try(ax_task *me, int fd, int way, axi_attempt *attempt, const void *data, size_t size) {
    enum { STREAK = 16 }; /* then others have a turn, and timers: each may have moved much */
    int rc;
    struct axi_fd *e = axi_fd_at(me->loop, fd, &rc); /* without memory for it it is tried all the same */
    struct axi_wait now;
    AXI_REFUSE(me);
    if (e && e->wait[way].task) return ax_done(AX_EBUSY);
    axi_must_not_block(me->loop, fd, e);
    now.task = me;
    now.data = (void *)(uintptr_t)data;
    now.size = size;
    rc = attempt(fd, &now, 0);
    e = axi_fd_known(me->loop, fd);
    if (e && way == AXI_READS) {
        e->in_vain = rc == AX_EAGAIN;
        e->in_vain_size = (unsigned)size;
    }
    if (rc == AX_EAGAIN) return axi_fd_wait(me, fd, way, attempt, now.data, now.size);
    if (e && e->turn != (unsigned char)me->loop->polls) {
        e->turn = (unsigned char)me->loop->polls;
        e->streak = 0;
    }
    if (!e || ++e->streak < STREAK) return ax_done(rc);
    e->streak = 0;
    axi_give_way(me, rc);
    return axi_op(AXI_PENDING);
}

/* The same, but a read may wait untried. */
static ax_op axi_fd_op(ax_task *me, int fd, int way, axi_attempt *attempt, const void *data, size_t size) {
    struct axi_fd *e = axi_fd_known(me->loop, fd);
    if (way == AXI_READS && e && AXI_MAY_BEGIN(me) && !e->wait[way].task && !axi_worth_trying(e, size))
        return axi_fd_wait(me, fd, way, attempt, data, size);
    return axi_fd_try(me, fd, way, attempt, data, size);
}

/* An operation has done its share of calls, and goes on in the next turn. */
static int axi_others_first(const struct axi_wait *w) {
    w->task->loop->unfinished = 1;
    errno = EWOULDBLOCK;
    return -1;
}

static int axi_io_result(ssize_t n) { return n >= 0 ? (int)n : errno == EWOULDBLOCK ? AX_EAGAIN : -errno; }

static int axi_attempt_wait(int fd, struct axi_wait *w, unsigned events) {
    (void)fd;
    (void)w;
    return events & AX_NVAL ? AX_EBADF : events ? (int)events : AX_EAGAIN;
}

#ifdef POLLRDHUP /* Linux tells the end of one direction only who asks for it, */
#define AXI_RDHUP POLLRDHUP
#elif defined(__linux__) && !defined(__sparc__)
#define AXI_RDHUP 0x2000 /* and its name only to _GNU_SOURCE */
#endif

/* Whether a socket that showed these events and gave nothing was shut down: it shows them for ever. */
static int axi_was_shut(int fd, unsigned events) {
#ifdef AXI_RDHUP
    struct pollfd p;
    p.fd = fd;
    p.events = AXI_RDHUP;
    return events & (AX_IN | AX_HUP) && poll(&p, 1, 0) > 0 && p.revents & AXI_RDHUP;
#else
    (void)fd;
    return (events & AX_HUP) != 0;
#endif
}

/* Streams tell of their end themselves, datagram sockets do not. */
AXI_SLOW static int axi_shut_datagrams(int fd, unsigned events) {
    int type = 0;
    socklen_t size = sizeof type;
    return axi_was_shut(fd, events) && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) >= 0 && type == SOCK_DGRAM;
}
static int axi_received(int fd, ssize_t n, unsigned events) {
    int rc = axi_io_result(n);
    return rc == AX_EAGAIN && axi_shut_datagrams(fd, events) ? AX_EPIPE : rc;
}

/* recv() gave nothing: n, or it is no socket. */
AXI_SLOW static int axi_recv_else(int fd, struct axi_fd *e, unsigned events, void *buffer, size_t size, ssize_t n) {
    while (n < 0 && errno == EINTR) n = recv(fd, buffer, size, 0);
    if (n < 0 && errno == ENOTSOCK) {
        if (e) e->plain = 1;
        do n = read(fd, buffer, size);
        while (n < 0 && errno == EINTR);
    }
    if (e && (n == 0 || (n < 0 && errno != EWOULDBLOCK))) e->doubt = 1; /* it will be closed */
    return axi_received(fd, n, events);
}
static int axi_recv(int fd, const struct axi_wait *w, unsigned events, void *buffer, size_t size) {
    struct axi_fd *e = axi_fd_known(w->task->loop, fd);
    ssize_t n;
    if (size > INT_MAX) size = INT_MAX;
    n = e && e->plain ? (errno = ENOTSOCK, -1) : recv(fd, buffer, size, 0);
    return n > 0 ? (int)n : axi_recv_else(fd, e, events, buffer, size, n);
}

static int axi_attempt_read(int fd, struct axi_wait *w, unsigned events) {
    return axi_recv(fd, w, events, w->data, w->size);
}

#ifdef MSG_NOSIGNAL
#define AXI_NO_SIGNAL MSG_NOSIGNAL
#else
#define AXI_NO_SIGNAL 0 /* then sockets are written to as pipes are */
#endif

#ifdef _WIN32
static ssize_t axi_writev_quietly(int fd, const struct iovec *v, int count) {
    WSABUF buffers[64];
    DWORD n = 0;
    int i;
    for (i = 0; i < count; i++) {
        buffers[i].buf = (char *)v[i].iov_base;
        buffers[i].len = v[i].iov_len < INT_MAX ? (ULONG)v[i].iov_len : INT_MAX;
        if (v[i].iov_len >= INT_MAX) count = i + 1;
    }
    return axi_win(WSASend((SOCKET)fd, buffers, (DWORD)count, &n, 0, NULL, NULL)) < 0 ? -1 : (ssize_t)n;
}
#else
/* writev() without SIGPIPE: it is blocked meanwhile, and taken back if it came of this. */
static ssize_t axi_writev_quietly(int fd, const struct iovec *v, int count) {
    sigset_t only, old, pending;
    int saved, number, was_pending;
    ssize_t n;
    sigemptyset(&only);
    sigaddset(&only, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &only, &old);
    was_pending = sigismember(&old, SIGPIPE) && sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE);
    do n = writev(fd, v, count);
    while (n < 0 && errno == EINTR);
    saved = errno;
    if (n < 0 && saved == EPIPE && !was_pending && sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE))
        sigwait(&only, &number);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    errno = saved;
    return n;
}
#endif

#ifdef MSG_NOSIGNAL
static ssize_t axi_sendmsg(int fd, struct iovec *v, int count) {
    struct msghdr m;
    memset(&m, 0, sizeof m);
    m.msg_iov = v;
    m.msg_iovlen = (size_t)count;
    return sendmsg(fd, &m, AXI_NO_SIGNAL);
}
#endif

static ssize_t axi_sendv(int fd, const struct axi_wait *w, struct iovec *v, int count) {
#ifdef MSG_NOSIGNAL
    struct axi_fd *e = axi_fd_known(w->task->loop, fd);
    if (!e || !e->plain) {
        ssize_t n;
        do n = count > 1 ? axi_sendmsg(fd, v, count) : send(fd, v->iov_base, v->iov_len, AXI_NO_SIGNAL);
        while (n < 0 && errno == EINTR);
        if (n >= 0 || errno != ENOTSOCK) return n;
        if (e) e->plain = 1;
    }
#endif
    (void)w;
    return axi_writev_quietly(fd, v, count);
}

AXI_INLINE ssize_t axi_send(int fd, const struct axi_wait *w) {
    size_t size = w->size < INT_MAX ? w->size : INT_MAX;
    struct iovec v;
#ifdef MSG_NOSIGNAL
    const struct axi_fd *e = axi_fd_known(w->task->loop, fd);
    if (!e || !e->plain) { /* mostly that is all */
        ssize_t n = send(fd, w->data, size, AXI_NO_SIGNAL);
        if (n >= 0 || (errno != EINTR && errno != ENOTSOCK)) return n;
    }
#endif
    v.iov_base = w->data;
    v.iov_len = size;
    return axi_sendv(fd, w, &v, 1);
}

static int axi_attempt_write(int fd, struct axi_wait *w, unsigned events) {
    (void)events;
    return axi_io_result(axi_send(fd, w));
}

/* Writes all, in some calls; then others have a turn. */
static int axi_attempt_write_all(int fd, struct axi_wait *w, unsigned events) {
    int calls = 16;
    (void)events;
    while (w->size) {
        ssize_t n = calls-- ? axi_send(fd, w) : axi_others_first(w);
        if (n < 0) return axi_io_result(n);
        w->data = (char *)w->data + n;
        w->size -= (size_t)n;
    }
    return 0;
}

static int axi_attempt_writev(int fd, struct axi_wait *w, unsigned events) {
    enum { AT_ONCE = 64 };
    struct iovec *v = (struct iovec *)w->data;
    int calls = 16;
    (void)events;
    while (w->size) {
        ssize_t n;
        if (!v->iov_len) {
            w->data = ++v;
            w->size--;
            continue;
        }
        n = calls-- ? axi_sendv(fd, w, v, w->size < AT_ONCE ? (int)w->size : AT_ONCE) : axi_others_first(w);
        if (n < 0) return axi_io_result(n);
        while (n && (size_t)n >= v->iov_len) {
            n -= (ssize_t)v->iov_len;
            v->iov_len = 0;
            w->data = ++v;
            w->size--;
        }
        if (!n) continue;
        v->iov_base = (char *)v->iov_base + n;
        v->iov_len -= (size_t)n;
    }
    return 0;
}

AX_API ax_op ax_wait_fd(ax_task *me, int fd, unsigned events) {
    AXI_REFUSE(me);
    if (events != AX_IN && events != AX_OUT) return ax_done(AX_EINVAL);
    return axi_fd_wait(me, fd, events == AX_IN ? AXI_READS : AXI_WRITES, axi_attempt_wait, NULL, 0);
}
static ax_op axi_at_once(ax_task *me, int status) { /* an op that needs no descriptor */
    AXI_REFUSE(me);
    return ax_done(status);
}
AX_API ax_op ax_read(ax_task *me, int fd, void *buffer, size_t size) {
    if (!size) return axi_at_once(me, 0);
    return axi_fd_op(me, fd, AXI_READS, axi_attempt_read, buffer, size);
}
AX_API ax_op ax_write(ax_task *me, int fd, const void *buffer, size_t size) {
    return axi_fd_try(me, fd, AXI_WRITES, axi_attempt_write, buffer, size);
}
AX_API ax_op ax_write_all(ax_task *me, int fd, const void *buffer, size_t size) {
    return axi_fd_try(me, fd, AXI_WRITES, axi_attempt_write_all, buffer, size);
}
AX_API ax_op ax_writev(ax_task *me, int fd, struct iovec *buffers, int count) {
    if (count < 0) return axi_at_once(me, AX_EINVAL);
    return axi_fd_try(me, fd, AXI_WRITES, axi_attempt_writev, buffers, (size_t)count);
}

/* The number is, or will be, another descriptor's. */
static void axi_fd_anew(struct axi_fd *e) {
    e->doubt = 1;
    e->paused = e->plain = e->checked = 0;
    e->streak = e->in_vain = 0;
}

static void axi_accept_again(ax_loop *loop, void *arg);

AX_API void ax_fd_closing(ax_loop *loop, int fd) {
    struct axi_fd *e = axi_fd_known(loop, fd);
    if (!e) return;
    axi_fd_fail(loop, fd, AX_EBADF);
    while (e->watches) ax_watch_stop(e->watches);
    if (e->told && loop->desc.backend->lazy) (void)axi_fd_tell(loop, fd, 0);
    axi_fd_anew(e);
}

AX_API int ax_close(ax_loop *loop, int fd) {
    const struct axi_fd *e = axi_fd_known(loop, fd);
    if (e && e->served) return axi_misuse(loop, AX_EPERM, "ax_server closes its connections itself");
    ax_fd_closing(loop, fd);
    if (loop->sys && AXI_SYS(loop)->again.armed) ax_timer_start(loop, &AXI_SYS(loop)->again, 0, axi_accept_again, NULL);
    return close(fd) < 0 && errno != EINTR ? -errno : 0;
}

/* ---- 14 Sockets: addresses ---- */

typedef char axi_addr_holds_all_addresses[sizeof(struct sockaddr_storage) <= sizeof((ax_addr *)0)->sockaddr.bytes ? 1 : -1];

static struct sockaddr *axi_sockaddr(const ax_addr *addr) { return (struct sockaddr *)(uintptr_t)addr->sockaddr.bytes; }

static int axi_family(const ax_addr *addr) {
    int family = addr->size >= sizeof(sa_family_t) ? axi_sockaddr(addr)->sa_family : AF_UNSPEC;
    if (family == AF_INET && addr->size < sizeof(struct sockaddr_in)) return AF_UNSPEC;
    if (family == AF_INET6 && addr->size < sizeof(struct sockaddr_in6)) return AF_UNSPEC;
    return family;
}

static void axi_addr_set(ax_addr *addr, const void *from, size_t size) {
    memset(addr, 0, sizeof *addr);
    addr->size = (unsigned)size;
    memcpy(addr->sockaddr.bytes, from, size);
}

AX_API int ax_addr_port(const ax_addr *addr) {
    int family = axi_family(addr);
    if (family == AF_INET6) return ntohs(((const struct sockaddr_in6 *)(const void *)addr->sockaddr.bytes)->sin6_port);
    if (family == AF_INET) return ntohs(((const struct sockaddr_in *)(const void *)addr->sockaddr.bytes)->sin_port);
    return 0;
}

AX_API char *ax_addr_text(const ax_addr *addr, char *text, size_t size) {
    const size_t path = offsetof(struct sockaddr_un, sun_path);
    char host[64];
    int family = axi_family(addr);
    if (family == AF_UNIX && addr->size > path && addr->size <= sizeof addr->sockaddr.bytes && addr->sockaddr.bytes[path])
        snprintf(text, size, "%.*s", (int)(addr->size - path), (const char *)addr->sockaddr.bytes + path);
    else if (family == AF_UNIX || family == AF_UNSPEC) snprintf(text, size, "?");
    else if (getnameinfo(axi_sockaddr(addr), addr->size, host, sizeof host, NULL, 0, NI_NUMERICHOST)) snprintf(text, size, "?");
    else if (strncmp(host, "::ffff:", 7) == 0 && strchr(host, '.')) /* IPv4, through a socket for both */
        snprintf(text, size, "%s:%d", host + 7, ax_addr_port(addr));
    else snprintf(text, size, family == AF_INET6 ? "[%s]:%d" : "%s:%d", host, ax_addr_port(addr));
    return text;
}

static int axi_addr_of(int fd, ax_addr *addr, int peer) {
    socklen_t size = sizeof addr->sockaddr.bytes;
    memset(addr, 0, sizeof *addr);
    if ((peer ? getpeername(fd, axi_sockaddr(addr), &size) : getsockname(fd, axi_sockaddr(addr), &size)) < 0) return -errno;
    addr->size = (unsigned)size;
    return 0;
}
AX_API int ax_addr_local(int fd, ax_addr *addr) { return axi_addr_of(fd, addr, 0); }
AX_API int ax_addr_peer(int fd, ax_addr *addr) { return axi_addr_of(fd, addr, 1); }

/* A look-up, which is a job of a thread. */
struct axi_lookup {
    char host[256];
    int named, port, flags, count;
    ax_addr addr[16];
};

static int axi_lookup_run(void *copy) {
    struct axi_lookup *job = (struct axi_lookup *)copy;
    struct addrinfo hints, *list = NULL, *a;
    char port[8];
    int rc;
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM; /* else each address comes once for each type */
    hints.ai_flags = job->flags | AI_NUMERICSERV;
    snprintf(port, sizeof port, "%d", job->port);
    rc = getaddrinfo(job->named ? job->host : NULL, port, &hints, &list);
#ifdef EAI_SYSTEM
    if (rc == EAI_SYSTEM) return errno ? -errno : AX_EAGAIN;
#endif
    if (rc == EAI_MEMORY) return AX_ENOMEM;
    if (rc == EAI_AGAIN) return AX_EAGAIN;
    if (rc) return AX_ENOENT;
    for (a = list; a && job->count < (int)(sizeof job->addr / sizeof *job->addr); a = a->ai_next)
        if (a->ai_addrlen <= sizeof job->addr->sockaddr.bytes) axi_addr_set(&job->addr[job->count++], a->ai_addr, a->ai_addrlen);
    freeaddrinfo(list);
    return job->count ? job->count : AX_ENOENT;
}

/* Numbers, and this machine, need no look-up: AX_ENOENT if it is a name. */
static int axi_lookup_number(struct axi_lookup *job, const char *host, int port, int flags) {
    if (port < 0 || port > 65535) return AX_EINVAL;
    if (host && strlen(host) >= sizeof job->host) return AX_ENAMETOOLONG;
    memset(job, 0, sizeof *job);
    if (host) strcpy(job->host, host);
    job->named = host != NULL;
    job->port = port;
    job->flags = flags | AI_NUMERICHOST;
    return axi_lookup_run(job);
}

struct axi_resolve {
    ax_frame frame;
    ax_addr *addrs;
    int most;
    struct axi_lookup job;
};
AX_ASYNC(axi_resolve) {
    AX_BEGIN;
    my->job.flags = 0;
    AX_AWAIT(ax_to_thread(me, axi_lookup_run, &my->job, sizeof my->job));
    if (my->most > me->rc) my->most = me->rc;
    memcpy(my->addrs, my->job.addr, (size_t)my->most * sizeof *my->addrs);
    AX_RETURN(my->most);
    AX_END;
}

AX_API ax_op ax_resolve(ax_task *me, const char *host, int port, ax_addr *addrs, int most) {
    struct axi_lookup job;
    int rc;
    AXI_REFUSE(me);
    rc = most < 1 ? AX_EINVAL : axi_lookup_number(&job, host, port, 0);
    if (rc == AX_ENOENT) return AX_CALL(axi_resolve, .addrs = addrs, .most = most, .job = job);
    if (rc > most) rc = most;
    if (rc > 0) memcpy(addrs, job.addr, (size_t)rc * sizeof *addrs);
    return ax_done(rc);
}

/* ---- 14 Sockets: opening them ---- */

static int axi_socket(int family, int type) {
#ifdef SOCK_NONBLOCK
    int fd = axi_above_2(socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    return fd < 0 ? -errno : fd;
#else
    int fd = axi_above_2(socket(family, type, 0)), rc = fd < 0 ? -errno : ax_nonblocking(fd);
    if (fd >= 0 && rc < 0) close(fd);
    return rc < 0 ? rc : fd;
#endif
}

static void axi_socket_set(int fd, int level, int option, int value) { /* refused where it has no meaning */
    (void)setsockopt(fd, level, option, &value, sizeof value);
}

AX_API int ax_tcp_open(const ax_addr *to) {
    int fd = axi_socket(axi_family(to), SOCK_STREAM);
    if (fd >= 0) axi_socket_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    return fd;
}

static int axi_socket_share(int fd) {
#ifdef SO_REUSEPORT
    const int on = 1;
    return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
#else
    (void)fd;
    errno = EINVAL;
    return -1;
#endif
}

static int axi_failed(int fd) { /* closes it; the error before that */
    int rc = -errno;
    close(fd);
    return rc;
}

static int axi_bind(const ax_addr *addr, int type, unsigned flags) {
    int family = axi_family(addr), fd = axi_socket(family, type);
    if (fd < 0) return fd;
    if (type == SOCK_STREAM) {
#ifdef _WIN32
        axi_socket_set(fd, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1); /* what is called reuse there takes ports from others */
#else
        axi_socket_set(fd, SOL_SOCKET, SO_REUSEADDR, 1); /* not held up by old connections */
#endif
        axi_socket_set(fd, IPPROTO_TCP, TCP_NODELAY, 1); /* accepted ones inherit it */
    }
    if (family == AF_INET6) axi_socket_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (flags & AX_REUSE_PORT && axi_socket_share(fd) < 0) return axi_failed(fd);
    if (bind(fd, axi_sockaddr(addr), addr->size) < 0 || (type == SOCK_STREAM && listen(fd, SOMAXCONN) < 0)) return axi_failed(fd);
    return fd;
}

static int axi_bind_host(const char *host, int port, int type, unsigned flags) {
    struct axi_lookup job;
    int rc, i;
    if (flags & ~(unsigned)AX_REUSE_PORT) return AX_EINVAL;
    rc = axi_lookup_number(&job, host ? host : "::", port, AI_PASSIVE);
    if (rc == AX_ENOENT) job.flags = AI_PASSIVE, rc = axi_lookup_run(&job);
    if (rc < 0) return rc;
    for (i = 0; i < job.count; i++)
        if ((rc = axi_bind(&job.addr[i], type, flags)) >= 0) return rc;
    if (host || (rc != -EAFNOSUPPORT && rc != -EADDRNOTAVAIL)) return rc;
    return axi_bind_host("0.0.0.0", port, type, flags); /* there is no IPv6 here */
}

AX_API int ax_tcp_listen(const char *host, int port, unsigned flags) { return axi_bind_host(host, port, SOCK_STREAM, flags); }
AX_API int ax_udp_open(const char *host, int port, unsigned flags) { return axi_bind_host(host, port, SOCK_DGRAM, flags); }

static int axi_unix_addr(ax_addr *addr, const char *path) {
    struct sockaddr_un un;
    memset(&un, 0, sizeof un);
    un.sun_family = AF_UNIX;
    if (!*path) return AX_EINVAL;
    if (strlen(path) >= sizeof un.sun_path) return AX_ENAMETOOLONG;
    strcpy(un.sun_path, path);
    axi_addr_set(addr, &un, sizeof un);
    return 0;
}

/* Whether the path is a socket that nobody listens on. */
static int axi_unix_stale(const ax_addr *addr, const char *path) {
    struct stat st;
    int fd, refused;
    if (lstat(path, &st) < 0 || !S_ISSOCK(st.st_mode) || (fd = axi_socket(AF_UNIX, SOCK_STREAM)) < 0) return 0;
    refused = connect(fd, axi_sockaddr(addr), addr->size) < 0 && errno == ECONNREFUSED;
    close(fd);
    return refused;
}

AX_API int ax_unix_listen(const char *path) {
    ax_addr addr;
    int rc = axi_unix_addr(&addr, path);
    if (rc >= 0 && (rc = axi_bind(&addr, SOCK_STREAM, 0)) == -EADDRINUSE && axi_unix_stale(&addr, path) && unlink(path) == 0)
        rc = axi_bind(&addr, SOCK_STREAM, 0);
    return rc;
}

/* ---- 14 Sockets: connections and datagrams ---- */

/* Out of descriptors or memory, accept() leaves the connection where it is, and poll() goes on to show it: the listener is not
   looked at for a while. */
static void axi_accept_again(ax_loop *loop, void *arg) {
    unsigned fd;
    (void)arg;
    loop->timer_need++; /* its timer keeps its place */
    for (fd = 0; fd < loop->fd_cap; fd++) {
        if (!loop->fds[fd].paused) continue;
        loop->fds[fd].paused = 0;
        axi_fd_changed(loop, (int)fd);
    }
}

static int axi_accept_later(ax_loop *loop, int fd) {
    ax_timer *again = &AXI_SYS(loop)->again;
    int rc = -errno, fault = 0;
    struct axi_fd *e = axi_fd_at(loop, fd, &fault);
    if (!e) return rc;
    if (!again->armed) {
        ax_timer_unref(again);
        loop->timer_need--; /* there is a place for it */
        ax_timer_start(loop, again, ax_after(loop, AX_MS(100)), axi_accept_again, NULL);
        if (!AXI_SYS(loop)->starved && loop->desc.report)
            loop->desc.report(loop->desc.report_ctx, "accept() is out of descriptors or memory, and waits until there are some");
        AXI_SYS(loop)->starved = 1;
    }
    loop->fds[fd].paused = 1; /* the hook may have made the table grow */
    axi_fd_changed(loop, fd);
    return AX_EAGAIN;
}

/* Errors of a connection that died in the queue, as Linux hands them on, and of none that may be accepted. */
static int axi_accept_passes(int error) {
    return error == EINTR || error == ECONNABORTED || error == EPROTO || error == ENETDOWN || error == ENETUNREACH ||
           error == EHOSTUNREACH || error == ENOPROTOOPT || error == EPERM
#ifdef EHOSTDOWN
           || error == EHOSTDOWN
#endif
#ifdef ENONET
           || error == ENONET
#endif
        ;
}

static int axi_attempt_accept(int fd, struct axi_wait *w, unsigned events) {
    ax_loop *loop = w->task->loop;
    ax_addr unasked, *peer = w->data ? (ax_addr *)w->data : &unasked;
    int conn, tries = 16;
    do {
        socklen_t size = sizeof peer->sockaddr.bytes;
#if defined(__linux__) && defined(_GNU_SOURCE)
        conn = axi_above_2(accept4(fd, axi_sockaddr(peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
#else
        conn = axi_above_2(accept(fd, axi_sockaddr(peer), &size));
        if (conn >= 0 && ax_nonblocking(conn) < 0) axi_failed(conn), conn = -1, errno = ECONNABORTED;
#ifdef _WIN32
        if (conn >= 0) axi_socket_set(conn, IPPROTO_TCP, TCP_NODELAY, 1); /* which is not inherited there */
#endif
#endif
        if (conn >= 0) {
            struct axi_fd *e = axi_fd_known(loop, conn);
            if (e) axi_fd_anew(e);
            peer->size = (unsigned)size;
            AXI_SYS(loop)->starved = 0;
            return conn;
        }
    } while (axi_accept_passes(errno) && tries--);
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) return axi_accept_later(loop, fd);
    if (tries < 0) return axi_io_result(axi_others_first(w)); /* so many */
    conn = axi_io_result(-1);
    return conn == AX_EAGAIN && axi_was_shut(fd, events) ? AX_EINVAL : conn;
}

AX_API ax_op ax_accept(ax_task *me, int fd, ax_addr *peer) {
    return axi_fd_op(me, fd, AXI_READS, axi_attempt_accept, peer, 0);
}

static int axi_attempt_connected(int fd, struct axi_wait *w, unsigned events) {
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    int rc = 0;
    socklen_t rc_size = sizeof rc;
    struct pollfd p;
    (void)w;
    if (events & AX_NVAL) return AX_EBADF;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &rc, &rc_size) < 0) return -errno;
    if (rc) return -rc;
    if (getpeername(fd, (struct sockaddr *)&peer, &size) == 0) return 0;
    if (errno != ENOTCONN) return -errno;
    p.fd = fd;
    p.events = POLLOUT;
    /* it has failed, and somebody else took the error; or it was woken for nothing */
    return poll(&p, 1, 0) > 0 && p.revents & (POLLERR | POLLHUP) ? -ENOTCONN : AX_EAGAIN;
}

AX_API ax_op ax_connect(ax_task *me, int fd, const ax_addr *addr) {
    struct axi_fd *e = axi_fd_known(me->loop, fd);
    AXI_REFUSE(me);
    if (axi_fd_busy(me->loop, fd, AXI_WRITES)) return ax_done(AX_EBUSY);
    if (e) axi_fd_anew(e);
    axi_must_not_block(me->loop, fd, e);
    if (connect(fd, axi_sockaddr(addr), addr->size) == 0) return ax_done(0);
    if (errno != EINPROGRESS && errno != EINTR) return ax_done(-errno); /* an interrupted one goes on, too */
    return axi_fd_wait(me, fd, AXI_WRITES, axi_attempt_connected, NULL, 0);
}

/* One attempt of several side by side: the first that succeeds leaves its descriptor with the caller. */
struct axi_tcp_connect {
    ax_frame frame;
    const char *host;
    int port, fd, i, count, error;
    ax_group attempts;
    ax_task *ended;
    ax_addr addr[16];
};
struct axi_tcp_attempt {
    ax_frame frame;
    struct axi_tcp_connect *all;
    int i, fd;
};
AX_ASYNC(axi_tcp_attempt) {
    AX_BEGIN;
    AX_CHECK(my->fd = ax_tcp_open(&my->all->addr[my->i]));
    AX_AWAIT(ax_connect(me, my->fd, &my->all->addr[my->i]));
    if (my->all->fd < 0) {
        my->all->fd = my->fd;
        my->fd = -1;
    }
AX_FINALLY:
    if (my->fd >= 0) ax_close(me->loop, my->fd);
    AX_END;
}

/* RFC 8305, 4: the families by turns, beginning with the first address's. */
static void axi_interleave(ax_addr *addr, int count) {
    int i, next;
    for (i = 1; i < count; i++) {
        ax_addr other;
        for (next = i; next < count && axi_family(&addr[next]) == axi_family(&addr[i - 1]); next++) {}
        if (next == count) return;
        other = addr[next];
        memmove(&addr[i + 1], &addr[i], (size_t)(next - i) * sizeof *addr);
        addr[i] = other;
    }
}

AX_ASYNC(axi_tcp_connect) {
    AX_BEGIN;
    AX_AWAIT(ax_resolve(me, my->host, my->port, my->addr, sizeof my->addr / sizeof *my->addr));
    my->count = me->rc;
    axi_interleave(my->addr, my->count);
    ax_group_open(me, &my->attempts, AX_GROUP_COLLECT | AX_GROUP_KEEP);
    for (my->i = 0; my->fd < 0;) {
        if (my->i < my->count && !AX_SPAWN(&my->attempts, axi_tcp_attempt, .all = my, .i = my->i, .fd = -1)) AX_RETURN(AX_ENOMEM);
        my->i++;
        /* until one has ended; while there are more to try, not for long */
        AX_TRY(AX_WITHIN(my->i < my->count ? AX_MS(250) : AX_FOREVER, ax_group_next(me, &my->attempts, &my->ended)));
        if (me->rc == 0 && my->i >= my->count) break;
        if (me->rc > 0) my->error = ax_task_status(my->ended);
    }
    ax_group_cancel(&my->attempts);
    AX_AWAIT(ax_group_join(me, &my->attempts));
    AX_RETURN(my->fd >= 0 ? my->fd : my->error);
AX_FINALLY:
    if (ax_leaving(me) < 0 && my->fd >= 0) ax_close(me->loop, my->fd);
    AX_END;
}

AX_API ax_op ax_tcp_connect(ax_task *me, const char *host, int port) {
    AXI_REFUSE(me);
    return AX_CALL(axi_tcp_connect, .host = host, .port = port, .fd = -1);
}

struct axi_udp_connect {
    ax_frame frame;
    const char *host;
    int port, fd;
    ax_addr addr;
};
AX_ASYNC(axi_udp_connect) {
    AX_BEGIN;
    AX_AWAIT(ax_resolve(me, my->host, my->port, &my->addr, 1));
    AX_CHECK(my->fd = axi_socket(axi_family(&my->addr), SOCK_DGRAM));
    AX_AWAIT(ax_connect(me, my->fd, &my->addr));
    AX_RETURN(my->fd);
AX_FINALLY:
    if (ax_leaving(me) < 0 && my->fd >= 0) ax_close(me->loop, my->fd);
    AX_END;
}

AX_API ax_op ax_udp_connect(ax_task *me, const char *host, int port) {
    AXI_REFUSE(me);
    return AX_CALL(axi_udp_connect, .host = host, .port = port, .fd = -1);
}

struct axi_unix_connect {
    ax_frame frame;
    ax_addr addr;
    int fd;
};
AX_ASYNC(axi_unix_connect) {
    AX_BEGIN;
    AX_CHECK(my->fd = axi_socket(AF_UNIX, SOCK_STREAM));
    for (;;) {
        AX_TRY(ax_connect(me, my->fd, &my->addr));
        if (me->rc != AX_EAGAIN) break;
        AX_AWAIT(ax_sleep(me, AX_MS(5))); /* the server's queue is full: nothing tells when it is not */
    }
    AX_RETURN(me->rc < 0 ? me->rc : my->fd);
AX_FINALLY:
    if (ax_leaving(me) < 0 && my->fd >= 0) ax_close(me->loop, my->fd);
    AX_END;
}

AX_API ax_op ax_unix_connect(ax_task *me, const char *path) {
    ax_addr addr;
    int rc;
    AXI_REFUSE(me);
    rc = axi_unix_addr(&addr, path);
    return rc < 0 ? ax_done(rc) : AX_CALL(axi_unix_connect, .addr = addr, .fd = -1);
}

#ifdef _WIN32
static int axi_attempt_recvfrom(int fd, struct axi_wait *w, unsigned events) {
    ax_addr *from = (ax_addr *)w->task->u.data;
    socklen_t size = sizeof from->sockaddr.bytes;
    int n = recvfrom(fd, w->data, w->size < INT_MAX ? w->size : INT_MAX, 0, from ? axi_sockaddr(from) : NULL, from ? &size : NULL);
    int longer = n < 0 && errno == EMSGSIZE;
    if ((n >= 0 || longer) && from) from->size = (unsigned)size;
    return longer ? AX_EOVERFLOW : axi_received(fd, n, events);
}
#else
static int axi_attempt_recvfrom(int fd, struct axi_wait *w, unsigned events) {
    ax_addr *from = (ax_addr *)w->task->u.data;
    struct msghdr m;
    struct iovec v;
    ssize_t n;
    memset(&m, 0, sizeof m);
    v.iov_base = w->data;
    v.iov_len = w->size < INT_MAX ? w->size : INT_MAX;
    m.msg_iov = &v;
    m.msg_iovlen = 1;
    if (from) {
        m.msg_name = from->sockaddr.bytes;
        m.msg_namelen = sizeof from->sockaddr.bytes;
    }
    do n = recvmsg(fd, &m, 0);
    while (n < 0 && errno == EINTR);
    if (n >= 0 && from) from->size = (unsigned)m.msg_namelen;
    return n >= 0 && m.msg_flags & MSG_TRUNC ? AX_EOVERFLOW : axi_received(fd, n, events);
}
#endif

static int axi_attempt_sendto(int fd, struct axi_wait *w, unsigned events) {
    const ax_addr *to = (const ax_addr *)w->task->u.data;
    ssize_t n;
    do n = sendto(fd, w->data, w->size, AXI_NO_SIGNAL, to ? axi_sockaddr(to) : NULL, to ? to->size : 0);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EWOULDBLOCK && events & AX_OUT && to && axi_family(to) == AF_UNIX)
        return -ENOBUFS; /* that path's queue is full, and nothing tells when it is not */
    return axi_io_result(n);
}

static ax_op axi_datagram(ax_task *me, int fd, int way, axi_attempt *attempt, const void *buffer, size_t size, const void *addr) {
    AXI_REFUSE(me);
    if (axi_dead_stack(me->loop, addr)) return ax_done(AX_EFAULT);
    me->u.data = (void *)(uintptr_t)addr;
    return axi_fd_op(me, fd, way, attempt, buffer, size);
}
AX_API ax_op ax_recvfrom(ax_task *me, int fd, void *buffer, size_t size, ax_addr *from) {
    return axi_datagram(me, fd, AXI_READS, axi_attempt_recvfrom, buffer, size, from);
}
AX_API ax_op ax_sendto(ax_task *me, int fd, const void *buffer, size_t size, const ax_addr *to) {
    return axi_datagram(me, fd, AXI_WRITES, axi_attempt_sendto, buffer, size, to);
}

/* ---- 14 Sockets: the server ---- */

struct axi_client {
    ax_frame frame;
    struct ax_server *server;
    ax_addr peer;
    int fd;
};
static void axi_serve_fd(ax_loop *loop, int fd, unsigned on) {
    int rc;
    struct axi_fd *e = axi_fd_at(loop, fd, &rc);
    if (e) e->served = on & 1;
}
AX_ASYNC(axi_client) {
    AX_BEGIN;
    axi_serve_fd(me->loop, my->fd, 1);
    AX_AWAIT(my->server->serve(me, my->fd, &my->peer, my->server->arg));
    AX_RETURN(me->rc);
AX_FINALLY:
    axi_serve_fd(me->loop, my->fd, 0);
    ax_close(me->loop, my->fd);
    ax_sem_release(&my->server->places);
    if (my->server->ended) my->server->ended(ax_leaving(me), &my->peer, my->server->arg);
    AX_END;
}

static void axi_end_input(ax_group *clients) {
    axi_link *link;
    for (link = axi_head(&clients->children); link; link = axi_after(&clients->children, link))
        shutdown(AX_FRAME(axi_client, AXI_TASK_OF(sibling, link))->fd, SHUT_RD);
}

/* A call, so that it ends before the clients' group does: they have the time of its AX_FINALLY. */
AX_ASYNC(axi_accepting) {
    struct ax_server *s = my->server;
    AX_BEGIN;
    AX_CHECK(s->serve && s->max_clients >= 0 ? 0 : AX_EINVAL);
    for (;;) {
        AX_AWAIT(ax_sem_acquire(me, &s->places));
        AX_AWAIT(ax_accept(me, s->fd, &my->peer));
        if (!AX_SPAWN(&s->clients, axi_client, .server = s, .peer = my->peer, .fd = me->rc)) {
            ax_close(me->loop, me->rc); /* out of memory: this one only */
            ax_sem_release(&s->places);
            if (s->ended) s->ended(AX_ENOMEM, &my->peer, s->arg);
        }
        if (me->node.flags & AXI_UNMET) AX_AWAIT(ax_checkpoint(me)); /* to be cancelled: no more, though there are more */
    }
AX_FINALLY:
    if (ax_leaving(me) != AX_EBADF) ax_close(me->loop, s->fd); /* else it was closed, and the number may be another's by now */
    s->fd = -1;
    if (s->end_input) axi_end_input(&s->clients);
    if (s->ending) s->ending(s->arg);
    if (s->grace > 0) AX_AWAIT(AX_WITHIN(s->grace, ax_group_join(me, &s->clients)));
    AX_END;
}

AXI_ASYNC(ax_server, AX_API) {
    AX_BEGIN;
    if (my->grace > 0 && my->grace < 1000 && axi_no_duration(me->loop, INT64_MIN)) AX_RETURN(AX_EINVAL);
    ax_sem_init(&my->places, my->max_clients > 0 ? my->max_clients : INT_MAX, 0);
    ax_group_open(me, &my->clients, AX_GROUP_COLLECT);
    AX_AWAIT(AX_CALL_IN(&my->accepting, axi_accepting, .server = my));
AX_FINALLY:
    if (my->fd >= 0) ax_close(me->loop, my->fd); /* it was cancelled before it began */
    AX_END;
}

/* ---- 14 Sockets: readers and writers ---- */

AX_API int ax_reader_init(ax_reader *r, int fd, void *buffer, size_t size) {
    memset(r, 0, sizeof *r);
    if (!buffer || size < 2) return AX_EINVAL;
    r->fd = fd;
    r->data = r->buffer = (char *)buffer;
    r->size = size;
    return 0;
}

/* Why a reader or writer can't be used now, or 0. */
static int axi_stream_busy(ax_task *me, const void *stream, int fd, int way, const char *buffer) {
    (void)stream;
    if (!buffer) return axi_misuse(me->loop, AX_EINVAL, "a reader or writer is used before its init");
    if (axi_dead_stack(me->loop, stream) || axi_dead_stack(me->loop, buffer)) return AX_EFAULT;
    return axi_fd_busy(me->loop, fd, way) ? AX_EBUSY : 0;
}

enum { AXI_READ, AXI_READ_LINE, AXI_READ_PEEK }; /* reader.how */

/* Takes an item of so many bytes out of the buffer, and more that end it. */
static int axi_reader_item(ax_reader *r, size_t length, size_t ending) {
    r->data = r->buffer + r->start;
    r->length = length;
    r->seen = 0;
    if (r->how == AXI_READ_PEEK) return 1;
    r->start += length + ending;
    if (!r->until) return 1;
    if (r->how == AXI_READ_LINE && length && ending && r->data[length - 1] == '\r') r->length--;
    r->data[r->length] = 0; /* there is room: its end, or what axi_reader_ended has looked for */
    return 1;
}

/* Whether the item is there: 1, or AX_EAGAIN. */
static int axi_reader_look(ax_reader *r) {
    size_t have = r->end - r->start, i = r->seen;
    const char *at = r->buffer + r->start, *found;
    if (!r->until) return have >= r->until_size ? axi_reader_item(r, have, 0) : AX_EAGAIN;
    while (i + r->until_size <= have && (found = (const char *)memchr(at + i, r->until[0], have - i - r->until_size + 1)) != NULL) {
        i = (size_t)(found - at);
        if (memcmp(found, r->until, r->until_size) == 0) return axi_reader_item(r, i, r->until_size);
        i++;
    }
    r->seen = have < r->until_size ? 0 : have - r->until_size + 1; /* searched in vain */
    return AX_EAGAIN;
}

static int axi_reader_ended(ax_reader *r) {
    size_t have = r->end - r->start;
    if (!have) return 0;
    if (r->how != AXI_READ_LINE) return AX_EPIPE;
    return r->end < r->size ? axi_reader_item(r, have, 0) : AX_EOVERFLOW; /* there is no room for its 0 */
}

static int axi_attempt_item(int fd, struct axi_wait *w, unsigned events) {
    ax_reader *r = (ax_reader *)w->data;
    int rc;
    while ((rc = axi_reader_look(r)) == AX_EAGAIN) {
        if (r->start && r->start == r->end) r->start = r->end = 0;
        if (r->start && r->end == r->size) { /* to the front of the buffer */
            r->end -= r->start;
            memmove(r->buffer, r->buffer + r->start, r->end);
            r->start = 0;
        }
        if (r->end == r->size) return AX_EOVERFLOW;
        rc = axi_recv(fd, w, events, r->buffer + r->end, r->size - r->end);
        if (rc < 0) return rc;
        if (rc == 0) return axi_reader_ended(r);
        r->end += (size_t)rc;
        events = 0; /* they were of this part */
    }
    return rc;
}

static ax_op axi_reader_next(ax_task *me, ax_reader *r, const void *until, size_t size, int how) {
    int rc;
    AXI_REFUSE(me);
    if ((rc = axi_stream_busy(me, r, r->fd, AXI_READS, r->buffer)) < 0) return ax_done(rc);
    r->seen = 0;
    r->until = (const char *)until;
    r->until_size = size;
    r->how = how;
    if (axi_reader_look(r) == 1) return ax_done(1);
    if (r->end - r->start == r->size) return ax_done(AX_EOVERFLOW); /* no input changes that */
    return axi_fd_op(me, r->fd, AXI_READS, axi_attempt_item, r, 0);
}
AX_API ax_op ax_reader_line(ax_task *me, ax_reader *r) { return axi_reader_next(me, r, "\n", 1, AXI_READ_LINE); }
AX_API ax_op ax_reader_some(ax_task *me, ax_reader *r) { return axi_reader_next(me, r, NULL, 1, AXI_READ); }
static int axi_reader_holds(const ax_reader *r, size_t size) { return size && (!r->buffer || size <= r->size); }
AX_API ax_op ax_reader_peek(ax_task *me, ax_reader *r, size_t size) {
    return axi_reader_holds(r, size) ? axi_reader_next(me, r, NULL, size, AXI_READ_PEEK) : axi_at_once(me, AX_EINVAL);
}
AX_API ax_op ax_reader_until(ax_task *me, ax_reader *r, const void *bytes, size_t size) {
    if (!axi_reader_holds(r, size)) return axi_at_once(me, AX_EINVAL);
    if (axi_dead_stack(me->loop, bytes)) return ax_done(AX_EFAULT);
    return axi_reader_next(me, r, bytes, size, AXI_READ);
}

/* What is in the buffer first, then the rest directly to its place; what is dropped goes through the buffer. */
static int axi_attempt_exactly(int fd, struct axi_wait *w, unsigned events) {
    ax_reader *r = (ax_reader *)w->task->u.data;
    int calls = 16;
    while (w->size) {
        size_t have = r->end - r->start, n = have < w->size ? have : w->size;
        if (!have) {
            int direct = w->data && w->size >= r->size, rc;
            if (!calls--) return axi_io_result(axi_others_first(w));
            rc = axi_recv(fd, w, events, direct ? (char *)w->data : r->buffer, direct ? w->size : r->size - 1);
            if (rc < 0) return rc;
            if (rc == 0) return r->length ? AX_EPIPE : 0;
            events = 0; /* they were of this part */
            if (!direct) {
                r->start = 0;
                r->end = (size_t)rc;
                continue;
            }
            n = (size_t)rc;
        } else {
            if (w->data) memcpy(w->data, r->buffer + r->start, n);
            r->start += n;
        }
        if (w->data) w->data = (char *)w->data + n;
        w->size -= n;
        r->length += n;
    }
    return 1;
}

AX_API ax_op ax_reader_exactly(ax_task *me, ax_reader *r, void *to, size_t size) {
    int rc = axi_stream_busy(me, r, r->fd, AXI_READS, r->buffer);
    if (rc >= 0) r->length = 0; /* also where a cancel refuses it: nothing of this item is there */
    AXI_REFUSE(me);
    if (rc < 0) return ax_done(rc);
    r->data = (char *)to;
    r->seen = 0;
    me->u.data = r;
    if (r->end - r->start >= size) { /* no need of the descriptor */
        if (to) memcpy(to, r->buffer + r->start, size);
        r->start += size;
        r->length = size;
        return ax_done(1);
    }
    return axi_fd_op(me, r->fd, AXI_READS, axi_attempt_exactly, to, size);
}

AX_API int ax_writer_init(ax_writer *o, int fd, void *buffer, size_t size) {
    memset(o, 0, sizeof *o);
    if (!buffer || !size) return AX_EINVAL;
    o->fd = fd;
    o->buffer = (char *)buffer;
    o->size = size;
    return 0;
}

/* Puts data into the buffer, and sends until it is all there and no more than `most` has to stay. */
static int axi_attempt_buffered(int fd, struct axi_wait *w, unsigned events) {
    ax_writer *o = (ax_writer *)w->task->u.data;
    int calls = 16;
    (void)events;
    for (;;) {
        size_t used = o->start + o->count, n;
        struct iovec v[2];
        ssize_t sent;
        if (o->start && w->size > o->size - used) { /* to the front of the buffer */
            memmove(o->buffer, o->buffer + o->start, o->count);
            o->start = 0;
            used = o->count;
        }
        n = w->size < o->size - used ? w->size : o->size - used;
        if (o->count || w->size <= o->size) { /* else it is sent from where it is */
            if (n) {
                memcpy(o->buffer + used, w->data, n);
                w->data = (char *)w->data + n;
            }
            w->size -= n;
            o->count += n;
        }
        if (!w->size && o->count <= o->most) return 0;
        v[0].iov_base = o->buffer + o->start;
        v[0].iov_len = o->count;
        v[1].iov_base = w->data;
        v[1].iov_len = w->size;
        sent = calls-- ? axi_sendv(fd, w, o->count ? v : v + 1, o->count && w->size ? 2 : 1) : axi_others_first(w);
        if (sent < 0) return axi_io_result(sent);
        n = (size_t)sent < o->count ? (size_t)sent : o->count;
        o->start += n;
        if (!(o->count -= n)) o->start = 0;
        n = (size_t)sent - n;
        if (n) w->data = (char *)w->data + n;
        w->size -= n;
    }
}

static ax_op axi_writer_put(ax_task *me, ax_writer *o, const void *data, size_t size, size_t most) {
    int rc;
    AXI_REFUSE(me);
    if ((rc = axi_stream_busy(me, o, o->fd, AXI_WRITES, o->buffer)) < 0) return ax_done(rc);
    me->u.data = o;
    o->most = most;
    if (!most || size > most || o->count > most - size) return axi_fd_try(me, o->fd, AXI_WRITES, axi_attempt_buffered, data, size);
    if (o->start + o->count + size > o->size) {
        memmove(o->buffer, o->buffer + o->start, o->count);
        o->start = 0;
    }
    if (size) memcpy(o->buffer + o->start + o->count, data, size);
    o->count += size;
    return ax_done(0);
}
AX_API ax_op ax_writer_write(ax_task *me, ax_writer *o, const void *data, size_t size) {
    return axi_writer_put(me, o, data, size, o->size / 2);
}
AX_API ax_op ax_writer_flush(ax_task *me, ax_writer *o) { return axi_writer_put(me, o, o->buffer, 0, 0); }
AX_API ax_op ax_writer_printf(ax_task *me, ax_writer *o, const char *format, ...) {
    size_t space;
    va_list args;
    int n;
    AXI_REFUSE(me);
    if ((n = axi_stream_busy(me, o, o->fd, AXI_WRITES, o->buffer)) < 0) return ax_done(n);
    memmove(o->buffer, o->buffer + o->start, o->start ? o->count : 0);
    o->start = 0;
    space = o->size - o->count;
    va_start(args, format);
    n = vsnprintf(o->buffer + o->count, space, format, args);
    va_end(args);
    if (n < 0) return ax_done(-errno);
    if ((size_t)n >= (o->size + 1) / 2) return ax_done(AX_EOVERFLOW);
    if ((size_t)n >= space) return ax_done(AX_EAGAIN);
    o->count += (size_t)n;
    return axi_writer_put(me, o, o->buffer, 0, o->size / 2);
}

/* ---- 12 The loop's turns ---- */

static void axi_take_signals(ax_loop *loop);

static void axi_run_queued(ax_loop *loop, ax_callback *c) {
    loop->running = &c->node.link;
    axi_run_callback(loop, c);
    loop->running = NULL;
}

static void axi_run_node(ax_loop *loop, axi_node *node) {
    if (AXI_LIKELY(node->state == AXI_READY) /* no callback ever is */ || node->kind == AXI_TASK)
        axi_run_task((ax_task *)(void *)node);
    else axi_run_queued(loop, (ax_callback *)(void *)node);
    AXI_STEPS(loop, NULL);
}

static void axi_say_waiting(ax_task *t, int depth, void *loop) {
    ax_where w = ax_task_where(t);
    (void)depth;
    axi_say((ax_loop *)loop, "nothing can wake", &w, -1);
}

/* Whether a turn follows, and has only the ready queue to look at. */
static int axi_only_ready(ax_loop *loop) {
    return axi_any_ready(loop) && loop->alone && !AXI_POSTED(loop) && !loop->hears && !AXI_LOAD(axi_came[0]);
}

/* Runs what is ready, up to *last, and the turns that follow with nothing else to look at. */
AXI_SLOW static void axi_run_up_to(ax_loop *loop, axi_link *const *last) {
    axi_link *link;
    for (;;) {
        do {
            link = axi_dequeue(loop);
            axi_run_node(loop, (axi_node *)(void *)link);
        } while (link != *last);
        if (!axi_only_ready(loop)) return;
        loop->turn_last = loop->end.prev;
    }
}

/* With desc.slow: each step by itself. */
AXI_SLOW static void axi_run_watched(ax_loop *loop) {
    struct axi_watched watched;
    axi_link *one;
    do {
        one = loop->end.next;
        axi_step_begins(loop, (axi_node *)(void *)one, &watched);
        axi_run_up_to(loop, &one);
        axi_step_ended(loop, &watched);
    } while (one != loop->turn_last);
}

static void axi_run_ready(ax_loop *loop, int once) {
    if (!axi_any_ready(loop)) return;
    loop->turn_last = loop->end.prev;
    loop->alone = !once && !loop->desc.slow && !loop->wanted && !loop->timer_count && !loop->dirty_count && !loop->stop;
    if (loop->desc.slow) axi_run_watched(loop);
    else axi_run_up_to(loop, &loop->turn_last);
    loop->turn_last = NULL; /* what is stopped outside of a turn ends none */
}

/* Whether there is anything that a run waits for. */
static int axi_kept(const ax_loop *loop) { return loop->tasks || loop->alive || loop->holds; }

static int axi_awaits_signals(const ax_loop *loop) {
    const struct axi_signal *s = AXI_SYS(loop)->signals;
    while (s && !s->waiters.ring) s = s->next;
    return s != NULL;
}

/* Timers in a crowd share a wake-up, which takes as long as firing dozens: a wait lasts at least 4 us for each timer since the last
   one, and for that reason never beyond 1 ms. */
static ax_time axi_crowded(ax_loop *loop, ax_time timeout) {
    ax_time least = loop->fired < 250 ? (ax_time)loop->fired * 4000 : 1000000;
    loop->fired = 0;
    return timeout > least ? timeout : least;
}

/* A virtual clock goes to the next deadline, unless a look at the descriptors finds work. */
static int axi_jump(ax_loop *loop) {
    ax_time time;
    int rc, looks = 16; /* at what callbacks start and change; not for ever */
    do {
        axi_fd_sync(loop);
        if ((rc = axi_look(loop, 0)) < 0) return rc;
    } while (loop->dirty_count && !axi_any_ready(loop) && --looks);
    time = axi_until_next(loop); /* a callback may have started an earlier timer */
    if (time != AX_FOREVER) loop->now += time;
    return 0;
}

/* Runs what came and what is ready, and queues what is due. */
static void axi_work(ax_loop *loop, int once) {
    unsigned timers;
    axi_take_posts(loop);
    if (loop->hears || AXI_LOAD(axi_came[0])) axi_take_signals(loop);
    axi_run_ready(loop, once);
    timers = loop->timer_count;
    axi_run_timers(loop);
    loop->fired += timers - loop->timer_count;
}

static int axi_turn(ax_loop *loop, int block) {
    ax_time timeout;
    axi_work(loop, !block);
    axi_fd_sync(loop);
    timeout = block && !loop->stop && !loop->dirty_count ? axi_until_next(loop) : 0;
    if (timeout == 0) return axi_look(loop, 0);
    if (loop->state == AXI_IN_RUN ? !axi_kept(loop) : !loop->tasks) return axi_look(loop, 0); /* nothing left to wait for */
    if (!loop->holds) {
        int deaf = !loop->wanted && !(loop->for_ever && loop->desc.flags & (AX_CATCH_SIGINT | AX_CATCH_SIGTERM)) &&
                   !axi_awaits_signals(loop);
        if (timeout == AX_FOREVER && deaf) {
            if (loop->desc.report) ax_tasks(loop, axi_say_waiting, loop);
            return AX_EDEADLK;
        }
        if (timeout != AX_FOREVER && loop->desc.flags & AX_VIRTUAL_CLOCK) return axi_jump(loop);
    } else if (loop->desc.flags & AX_VIRTUAL_CLOCK) {
        timeout = AX_FOREVER; /* virtual time stands still while a thread works for the loop */
    }
    return axi_look(loop, axi_crowded(loop, timeout));
}

static int axi_enter(ax_loop *loop) {
    if (loop->state == AXI_CLOSED) return AX_EPERM;
    if (loop->state != AXI_IDLE) return AX_EBUSY;
    loop->state = AXI_IN_RUN;
    loop->thread = (uintptr_t)pthread_self();
    if (AXI_LOAD(axi_signal_loop) == loop) AXI_STORE(axi_signal_thread, loop->thread); /* it may have caught some on another */
#if ASYNCX_DEBUG
    loop->stack = axi_stack();
#endif
    loop->outer = axi_current;
    axi_current = loop;
    return 0;
}

static int axi_leave(ax_loop *loop, int rc) {
    loop->state = AXI_IDLE;
    loop->stack = 0;
    axi_current = loop->outer;
    return rc;
}

AX_API int ax_loop_run(ax_loop *loop) {
    int rc = axi_enter(loop);
    if (rc < 0) return rc;
    loop->stop = 0;
    while (rc >= 0 && !loop->stop && (axi_any_ready(loop) || axi_kept(loop) || AXI_POSTED(loop))) rc = axi_turn(loop, 1);
    return axi_leave(loop, rc);
}

AX_API void ax_loop_stop(ax_loop *loop) {
    if (loop->state == AXI_CLOSING_LOOP) return;
    loop->stop = 1;
    loop->alone = 0;
}

AX_API int ax_run_once(ax_loop *loop) {
    int rc = axi_enter(loop);
    if (rc < 0) return rc;
    if (loop->desc.flags & AX_VIRTUAL_CLOCK && !loop->holds && !axi_any_ready(loop)) { /* the host has waited until then */
        rc = axi_jump(loop);
        axi_work(loop, 1);
    } else {
        rc = axi_turn(loop, 0);
    }
    axi_fd_sync(loop); /* the host may sleep on what its backend has been told */
    return axi_leave(loop, rc < 0 ? rc : axi_more(loop));
}

AX_API ax_time ax_next_deadline(ax_loop *loop) {
    if (axi_more(loop) || loop->dirty_count) return axi_clock(loop);
    return axi_next_when(loop);
}

AX_API int ax_loop_reserve(ax_loop *loop, unsigned tasks, unsigned fds) {
    int rc;
    if (loop->state == AXI_CLOSED) return AX_EPERM;
    if (tasks > UINT_MAX - loop->timer_need) return AX_ENOMEM;
    rc = axi_grow(loop, &loop->timers, &loop->timer_cap, loop->timer_need + tasks, sizeof *loop->timers);
    return rc < 0 || !fds ? rc : axi_fd_reserve(loop, fds);
}

static void axi_loop_free(ax_loop *loop) {
    struct axi_sys *sys = AXI_SYS(loop);
    if (sys) {
        if (sys->opened) (loop->desc.backend->close)(loop, sys->state);
        if (sys->pipe[0] >= 0) close(sys->pipe[0]);
        if (sys->pipe[1] >= 0) close(sys->pipe[1]);
        axi_free(loop, sys, AXI_SYS_SIZE + loop->desc.backend->size);
    }
    axi_free(loop, loop->timers, loop->timer_cap * sizeof *loop->timers);
    axi_free(loop, loop->fds, loop->fd_cap * sizeof *loop->fds);
    axi_free(loop, loop->dirty, loop->dirty_cap * sizeof *loop->dirty);
    loop->fd_cap = loop->dirty_cap = loop->timer_cap = loop->timer_count = loop->heaped = 0;
    loop->dirty_count = 0;
    loop->unfinished = 0;
    loop->chunk = loop->chunk_end = NULL;
    loop->sys = NULL;
    loop->timers = NULL;
    loop->fds = NULL;
    loop->dirty = NULL;
    while (loop->chunks) {
        void *next = *(void **)loop->chunks;
        free(loop->chunks);
        loop->chunks = next;
    }
}

/* The wake-up pipe, and the watch that drains it. What is open after an error axi_loop_free closes. */
static int axi_pipe_open(ax_loop *loop, struct axi_sys *sys) {
    int i, rc;
    if (pipe(sys->pipe) < 0) return -errno;
    for (i = 0; i < 2; i++) {
        if ((sys->pipe[i] = axi_above_2(sys->pipe[i])) < 0) return -errno;
        if ((rc = ax_nonblocking(sys->pipe[i])) < 0) return rc;
    }
    ax_watch_unref(&sys->wake);
    if ((rc = ax_watch_start(loop, &sys->wake, sys->pipe[0], AX_IN, axi_drain_pipe, NULL)) < 0) return rc;
    if ((rc = axi_fd_tell(loop, sys->pipe[0], AX_IN)) < 0) return rc; /* a loop that is deaf to posts must not open */
    loop->fds[sys->pipe[0]].wanted = AX_IN;
    loop->dirty_count = loop->fds[sys->pipe[0]].dirty = 0;
    return 0;
}

AX_API int ax_loop_open(ax_loop *loop, const ax_loop_desc *desc) {
    struct axi_sys *sys;
    int rc;
    memset(loop, 0, sizeof *loop);
    if (desc) loop->desc = *desc;
    if (!loop->desc.backend) loop->desc.backend = ASYNCX_BACKEND;
    if (!loop->desc.threads) loop->desc.threads = 8;
    if (!loop->desc.alloc && (loop->desc.arena || !AXI_ASAN)) loop->pooled = 1;
    if (loop->desc.arena) {
        size_t skip = (16 - (uintptr_t)loop->desc.arena % 16) % 16;
        loop->chunk = (unsigned char *)loop->desc.arena + (skip < loop->desc.arena_size ? skip : loop->desc.arena_size);
        loop->chunk_end = (unsigned char *)loop->desc.arena + loop->desc.arena_size;
    }
    loop->thread = (uintptr_t)pthread_self();
    loop->posted_end = &loop->posted;
    loop->timer_need = 1; /* of axi_accept_later, which must not be out of memory, too */
    axi_push(&loop->ready, &loop->end);
    loop->nobody.fn = axi_nothing;
    loop->root.loop = loop;
    if (!(sys = (struct axi_sys *)axi_alloc(loop, AXI_SYS_SIZE + loop->desc.backend->size))) return AX_ENOMEM;
    memset(sys, 0, AXI_SYS_SIZE + loop->desc.backend->size);
    loop->sys = sys;
    loop->state = AXI_IDLE;
    sys->state = (char *)sys + AXI_SYS_SIZE;
    sys->pipe[0] = sys->pipe[1] = -1;
    rc = loop->desc.backend->open(loop, sys->state);
    sys->opened = rc >= 0;
    if (rc >= 0) rc = axi_pipe_open(loop, sys);
    if (rc < 0) {
        axi_loop_free(loop);
        loop->state = AXI_CLOSED;
        return rc;
    }
    axi_clock(loop);
    loop->root.flags = (unsigned)AX_GROUP_COLLECT | AXI_OPEN; /* only now: a loop that did not open refuses to spawn */
    loop->takes_posts = 1;
    return 0;
}

static void axi_signals_end(ax_loop *loop);

/* Timers and watches that are still started may be stopped after the loop is gone. */
static void axi_let_go(ax_loop *loop) {
    unsigned i;
    for (i = 0; i < loop->timer_count; i++) {
        loop->timers[i].node->timer = 0;
        if (loop->timers[i].node->kind == AXI_TIMED) ((ax_timer *)(void *)loop->timers[i].node)->armed = 0;
    }
    loop->timer_count = loop->heaped = 0;
    for (i = 0; i < loop->fd_cap; i++)
        while (loop->fds[i].watches) ax_watch_stop(loop->fds[i].watches);
}

/* Frees the tasks that are given up, children before their parents. */
static void axi_abandon(ax_loop *loop) {
    axi_list all;
    axi_give_up(loop, &all);
    while (all.ring) {
        ax_task *t = AXI_TASK_OF(sibling, axi_tail(&all));
        axi_entry *e, *up;
        axi_take(&all, &t->sibling);
        for (e = t->top; e; e = up) {
            up = e->up;
            if (e->kind == AXI_FRAME && e->flags & AXI_OWNED) axi_free(loop, e, axi_size_of(((ax_frame *)(void *)e)->fn));
            if (!up) t->frame = (ax_frame *)(void *)e;
        }
        t->node.refs = 0;
        t->node.bad = 0;
        t->node.flags &= AXI_HEAP;
        axi_task_release(t);
    }
}

AX_API int ax_loop_close(ax_loop *loop) {
    int rc, failed = 0;
    ax_callback *left, *c;
    if (loop->state == AXI_CLOSED) return 0;
    if ((rc = axi_enter(loop)) < 0) return rc;
    loop->state = AXI_CLOSING_LOOP;
    loop->stop = 0;
    axi_cancel_all(loop);
    while (loop->tasks && rc != AX_EDEADLK && failed < 16) failed = (rc = axi_turn(loop, 1)) < 0 ? failed + 1 : 0; /* it may pass */
    while (loop->closers.ring) {
        c = (ax_callback *)(void *)axi_tail(&loop->closers);
        axi_take(&loop->closers, &c->node.link);
        axi_run_callback(loop, c);
    }
    AXI_SYS(loop)->pools_ended = 1;
    if (AXI_SYS(loop)->end_pools) AXI_SYS(loop)->end_pools(loop);
    axi_take_posts(loop); /* the last jobs' ends, so that their memory is freed */
    axi_run_ready(loop, 1);
    axi_signals_end(loop);
    pthread_mutex_lock(&axi_post_lock); /* a post meets the loop open or closed, never in between */
    loop->takes_posts = 0;
    left = loop->posted;
    AXI_SET_POSTED(loop, NULL);
    for (c = left; c; c = c->posted) c->node.state = 0;
    pthread_mutex_unlock(&axi_post_lock);
    axi_leave(loop, 0);
    loop->state = AXI_CLOSED;
    loop->root.flags = 0;
    while (axi_any_ready(loop)) {
        c = (ax_callback *)(void *)axi_dequeue(loop);
        if (c->node.kind != AXI_TASK) c->list = NULL; /* its struct may be stopped or used again */
    }
    axi_let_go(loop);
    axi_abandon(loop);
    axi_loop_free(loop);
    return rc;
}

/* ---- 15 Threads and signals ---- */

/* What a thread may still use when the loop is gone comes from the user, or from malloc: not from the loop's own chunks. */
static int axi_own_memory(const ax_loop *loop) { return !loop->desc.alloc && !loop->desc.arena; }
static void *axi_alloc_apart(ax_loop *loop, size_t size) {
    void *p = axi_own_memory(loop) ? malloc(size) : axi_alloc(loop, size);
    if (p) memset(p, 0, size);
    return p;
}
static void axi_free_apart(ax_loop *loop, void *p, size_t size) {
    if (axi_own_memory(loop)) free(p);
    else axi_free(loop, p, size);
}

static void axi_pools_end(ax_loop *loop);

static struct axi_pool *axi_pool_new(ax_loop *loop, unsigned threads, unsigned jobs) {
    const size_t head = (sizeof(struct axi_pool) + 15) / 16 * 16;
    struct axi_pool *p;
    size_t size = head + threads * sizeof *p->thread;
    if (threads > USHRT_MAX || !(p = (struct axi_pool *)axi_alloc_apart(loop, size))) return NULL;
    p->loop = loop;
    p->size = size;
    p->own_memory = axi_own_memory(loop);
    p->last = &p->first;
    p->most_threads = threads;
    p->most_jobs = jobs && jobs <= UINT_MAX - threads ? jobs + threads : 0;
    p->thread = (pthread_t *)(void *)((char *)p + head);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_cond_init(&p->end, NULL);
    p->next = AXI_SYS(loop)->pools;
    AXI_SYS(loop)->pools = p;
    AXI_SYS(loop)->end_pools = axi_pools_end;
    return p;
}

static void axi_pool_destroy(struct axi_pool *p) {
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->work);
    pthread_cond_destroy(&p->end);
}

/* All its threads have ended: back on the loop's thread. */
static void axi_pool_gone(ax_loop *loop, void *pool) {
    struct axi_pool *p = (struct axi_pool *)pool, **at;
    unsigned i;
    for (i = 0; i < p->started; i++) pthread_join(p->thread[i], NULL);
    for (at = &AXI_SYS(loop)->pools; *at != p; at = &(*at)->next) {}
    *at = p->next;
    if (p->waiters.ring) loop->holds--;
    axi_wake_all(&p->waiters, 0);
    axi_pool_destroy(p);
    axi_free_apart(loop, p, p->size);
}

enum { AXI_JOB = (sizeof(struct axi_job) + 15) / 16 * 16 }; /* its copy of the data follows, aligned */

static void axi_job_free(ax_loop *loop, struct axi_job *job) { axi_free_apart(loop, job, AXI_JOB + job->size); }

static void *axi_job_data(struct axi_job *job) { return (char *)job + AXI_JOB; }

static void axi_job_done(ax_loop *loop, void *arg) {
    struct axi_job *job = (struct axi_job *)arg;
    if (job->task) {
        if (job->size) memcpy(job->data, axi_job_data(job), job->size);
        loop->holds--;
        axi_wake(job->task, job->status);
    }
    axi_job_free(loop, job);
}

/* A thread of a pool. Under the lock, but while a job runs. */
static AXI_THREAD_MAIN axi_worker(void *arg) {
    struct axi_pool *p = (struct axi_pool *)arg;
    struct axi_job *job;
    int orphan;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        p->idle++;
        while (!p->first && !p->closing) pthread_cond_wait(&p->work, &p->lock);
        p->idle--;
        if (!(job = p->first)) break;
        if (!(p->first = job->next)) p->last = &p->first;
        p->queued--;
        job->state = AXI_RUNNING;
        pthread_mutex_unlock(&p->lock);
        job->status = job->fn(axi_job_data(job));
        pthread_mutex_lock(&p->lock);
        job->state = AXI_DONE;
        p->jobs--;
        if (p->loop) ax_post(p->loop, &job->done, axi_job_done, job);
        else if (p->own_memory) free(job);
    }
    orphan = --p->alive == 0 && !p->loop;
    if (!p->alive && p->loop) {
        pthread_cond_signal(&p->end);
        ax_post(p->loop, &p->gone, axi_pool_gone, p);
    }
    pthread_mutex_unlock(&p->lock);
    if (orphan) { /* the last one of a pool that was left to itself */
        axi_pool_destroy(p);
        if (p->own_memory) free(p);
    }
    return 0;
}

static int axi_thread_start(struct axi_pool *p) { /* under the lock */
    sigset_t all, old;
    int rc;
    sigfillset(&all); /* signals are for the loop's thread */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    rc = pthread_create(&p->thread[p->started], NULL, axi_worker, p);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (rc) return -rc;
    p->started++;
    p->alive++;
    return 0;
}

static int axi_forget_job(ax_task *t, void *arg) {
    struct axi_job *job = (struct axi_job *)arg, **at;
    struct axi_pool *p = job->pool;
    int state;
    pthread_mutex_lock(&p->lock);
    if ((state = job->state) == AXI_QUEUED) {
        for (at = &p->first; *at != job; at = &(*at)->next) {}
        if (!(*at = job->next)) p->last = at;
        p->queued--;
        p->jobs--;
    }
    pthread_mutex_unlock(&p->lock);
    if (state == AXI_DONE) return AX_STAY; /* complete: its result is on the way and is not undone */
    if (state == AXI_RUNNING && job->cancel) {
        if (job->cancel(axi_job_data(job)) == AX_STAY) return AX_STAY;
        pthread_mutex_lock(&p->lock);
        state = job->state;
        pthread_mutex_unlock(&p->lock);
        if (state == AXI_DONE) return AX_STAY; /* it has ended meanwhile */
    }
    t->loop->holds--;
    job->task = NULL; /* it ends unheard */
    if (state == AXI_QUEUED) axi_job_free(t->loop, job);
    return 0;
}

static ax_op axi_job_run(ax_task *me, struct axi_pool *p, int (*fn)(void *), int (*cancel)(void *), void *data, size_t size) {
    ax_loop *loop = me->loop;
    struct axi_job *job;
    int rc = 0;
    if (axi_dead_stack(loop, data)) return ax_done(AX_EFAULT);
    if (size > SIZE_MAX - 4096) return ax_done(AX_EINVAL);
    if (!(job = (struct axi_job *)axi_alloc_apart(loop, AXI_JOB + size))) return ax_done(AX_ENOMEM);
    job->pool = p;
    job->task = me;
    job->fn = fn;
    job->cancel = cancel;
    job->data = data;
    job->size = size;
    job->state = AXI_QUEUED;
    if (size) memcpy(axi_job_data(job), data, size);
    pthread_mutex_lock(&p->lock);
    if (p->closing) rc = AX_EPIPE;
    else if (p->most_jobs && p->jobs >= p->most_jobs) rc = AX_EAGAIN;
    else if (p->idle <= p->queued && p->started < p->most_threads && (rc = axi_thread_start(p)) < 0 && p->started)
        rc = 0; /* with one thread at least it only takes longer */
    if (rc >= 0) {
        *p->last = job;
        p->last = &job->next;
        p->queued++;
        p->jobs++;
        pthread_cond_signal(&p->work);
    }
    pthread_mutex_unlock(&p->lock);
    if (rc < 0) {
        axi_job_free(loop, job);
        return ax_done(rc);
    }
    loop->holds++;
    return axi_park(me, axi_forget_job, job);
}

AX_API ax_op ax_to_thread(ax_task *me, int (*fn)(void *), void *data, size_t size) {
    return ax_executor_run(me, NULL, fn, NULL, data, size);
}

AX_API int ax_stay(void *copy) {
    (void)copy;
    return AX_STAY;
}

AX_API int ax_executor_open(ax_loop *loop, ax_executor *ex, unsigned threads, unsigned jobs) {
    ex->pool = NULL;
    if (axi_foreign(loop) || loop->state == AXI_CLOSED || AXI_SYS(loop)->pools_ended) return AX_EPERM;
    if (!threads || threads > USHRT_MAX) return AX_EINVAL;
    return (ex->pool = axi_pool_new(loop, threads, jobs)) != NULL ? 0 : AX_ENOMEM;
}

AX_API ax_op ax_executor_run(ax_task *me, ax_executor *ex, int (*fn)(void *), int (*cancel)(void *), void *data, size_t size) {
    struct axi_sys *sys = AXI_SYS(me->loop);
    struct axi_pool *p = ex ? ex->pool : sys->pool;
    AXI_REFUSE(me);
    if (sys->pools_ended || (!p && ex)) return ax_done(AX_EPIPE);
    if (!p && !(p = sys->pool = axi_pool_new(me->loop, me->loop->desc.threads, me->loop->desc.jobs))) return ax_done(AX_ENOMEM);
    return axi_elsewhere(me, p->loop) ? ax_done(AX_EPERM) : axi_job_run(me, p, fn, cancel, data, size);
}

static int axi_forget_close_pool(ax_task *t, void *pool) {
    t->loop->holds--;
    return axi_forget_list(t, &((struct axi_pool *)pool)->waiters);
}

/* Its threads end when no job is left. Whether they have already. */
static int axi_pool_close(struct axi_pool *p) {
    int alive;
    pthread_mutex_lock(&p->lock);
    p->closing = 1;
    alive = p->alive > 0;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    return !alive;
}

AX_API ax_op ax_executor_close(ax_task *me, ax_executor *ex) {
    struct axi_pool *p = ex->pool;
    AXI_REFUSE(me);
    if (!p || AXI_SYS(me->loop)->pools_ended) return ax_done(0);
    if (axi_elsewhere(me, p->loop)) return ax_done(AX_EPERM);
    ex->pool = NULL;
    if (axi_pool_close(p)) {
        axi_pool_gone(me->loop, p);
        return ax_done(0);
    }
    me->loop->holds++;
    axi_push(&p->waiters, &me->node.link);
    return axi_park(me, axi_forget_close_pool, p);
}

/* The loop closes: waits for the threads, as long as it may, and leaves the rest to themselves. */
static void axi_pools_end(ax_loop *loop) {
    ax_time wait = loop->desc.thread_wait;
    struct axi_pool *p, **at;
    struct timespec until;
    unsigned i;
    if (wait < 0) wait = 1; /* not at all */
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (time_t)(wait / 1000000000);
    if ((until.tv_nsec += (long)(wait % 1000000000)) >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
    for (p = AXI_SYS(loop)->pools; p; p = p->next) axi_pool_close(p);
    for (at = &AXI_SYS(loop)->pools; (p = *at) != NULL;) {
        int left;
        pthread_mutex_lock(&p->lock);
        while (p->alive)
            if (!wait || loop->tasks) pthread_cond_wait(&p->end, &p->lock);
            else if (pthread_cond_timedwait(&p->end, &p->lock, &until) == ETIMEDOUT) break;
        left = p->alive > 0;
        if (left) p->loop = NULL, *at = p->next; /* its last thread frees it, from now on at any time */
        for (i = 0; left && i < p->started; i++)
            pthread_detach(p->thread[i]);
        pthread_mutex_unlock(&p->lock);
        if (left) continue;
        if (!p->started) axi_pool_gone(loop, p);
        else at = &p->next; /* its last thread has posted that */
    }
}

static void axi_on_signal(int sig) {
    int saved = errno, fd;
    (void)AXI_ADD(axi_handling, 1);
#ifdef _WIN32
    if (axi_win_kept[sig] == axi_on_signal) signal(sig, axi_on_signal);
#endif
    AXI_STORE(axi_came[sig], 1);
    AXI_SWAP(axi_came[0], 1);
    fd = AXI_LOAD(axi_signal_pipe); /* only now: a run that has changed it since sees what came */
    if (fd >= 0)
        while (write(fd, "", 1) < 0 && errno == EINTR) {}
    (void)AXI_ADD(axi_handling, -1);
    errno = saved;
}

/* What cancels main, and the flags that ask for it. */
static const struct { unsigned flag; int number; } axi_stops[] = {{AX_CATCH_SIGINT, SIGINT}, {AX_CATCH_SIGTERM, SIGTERM}};
enum { AXI_STOPS = sizeof axi_stops / sizeof *axi_stops };

static int axi_stopped[AXI_STOPS];      /* whether it came to the run that is on */
static unsigned axi_stop_at[AXI_STOPS]; /* when it last did, in ms; 0: it has not */
#ifndef _WIN32
/* The first one asks main to end, a later one ends the process. Those of one moment are one: who signals a process and then its
   group, as timeout(1) does, signals it twice. */
static void axi_on_stop(int sig) {
    int i = sig == SIGTERM, stopped = AXI_LOAD(axi_stopped[i]); /* before the time: another thread may be at the first one */
    unsigned at, first = AXI_LOAD(axi_stop_at[i]);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    at = ((unsigned)now.tv_sec * 1000 + (unsigned)(now.tv_nsec / 1000000)) | 1;
    if (first && at - first <= 100) return;
    if (!stopped) {
        AXI_STORE(axi_stop_at[i], at);
        AXI_STORE(axi_stopped[i], 1);
        axi_on_signal(sig);
    } else {
        signal(sig, SIG_DFL);
        raise(sig);
    }
}
#else
#define axi_on_stop axi_on_signal
#endif

static unsigned axi_stop_flag(int number) { /* 0: it cancels nobody */
    int i = 0;
    while (i < AXI_STOPS && axi_stops[i].number != number) i++;
    return i < AXI_STOPS ? axi_stops[i].flag : 0;
}

static struct axi_signal *axi_signal_of(const ax_loop *loop, int number) {
    struct axi_signal *s = AXI_SYS(loop)->signals;
    while (s && s->number != number) s = s->next;
    return s;
}

/* The loops of one thread that catch signals form a chain, from the innermost run outwards. A signal is for the first of them that
   has caught it: for its tasks, or else for its main, and then for the tasks of those further out as well. anew: 0, they have heard
   of it, but the main inside had ended. */
static void axi_signal_for(ax_loop *loop, int number, int anew) {
    unsigned stop = axi_stop_flag(number);
    for (; loop; loop = AXI_SYS(loop)->outer) {
        struct axi_sys *sys = AXI_SYS(loop);
        struct axi_signal *s = axi_signal_of(loop, number); /* of one loop at most */
        if (!s && !(sys->stops & stop)) continue;
        if (s && !anew) return;
        if (s) s->kept = 1;
        else sys->came |= stop, sys->asked |= stop;
        stop = 0;
        loop->hears = 1;
        axi_poke(sys); /* a guest, by the descriptors that its host watches */
    }
}

/* Whether one has come already to whose main the next one is for. */
static int axi_is_second(const ax_loop *loop, int i) {
    for (; loop; loop = AXI_SYS(loop)->outer) {
        if (axi_signal_of(loop, axi_stops[i].number)) return 0;
        if (AXI_SYS(loop)->stops & axi_stops[i].flag) return (AXI_SYS(loop)->came & axi_stops[i].flag) != 0;
    }
    return 0;
}

static void axi_note_stops(const ax_loop *innermost) { /* for the handler */
    int i;
    for (i = 0; i < AXI_STOPS; i++) {
        AXI_STORE(axi_stopped[i], axi_is_second(innermost, i));
        if (AXI_LOAD(axi_came[axi_stops[i].number])) AXI_STORE(axi_stopped[i], 1); /* meanwhile; until it is dealt */
    }
}

/* Gives what came to whom it is for; also before anything changes in the chain, so that what came before is not taken for what
   comes after. loop: the innermost, or NULL. */
static void axi_deal_signals(ax_loop *loop) {
    int number;
    if (!AXI_LOAD(axi_came[0])) return;
    AXI_SWAP(axi_came[0], 0);
    for (number = 1; number < AXI_SIGNALS; number++) {
        if (!AXI_LOAD(axi_came[number])) continue;
        AXI_STORE(axi_came[number], 0);
        axi_signal_for(loop, number, 1);
    }
    axi_note_stops(loop);
}

static void axi_take_signals(ax_loop *loop) {
    struct axi_sys *sys = AXI_SYS(loop);
    struct axi_signal *s;
    int i;
    if (AXI_LOAD(axi_signal_thread) == loop->thread) {
        axi_deal_signals(AXI_LOAD(axi_signal_loop));
        while (AXI_ADD(axi_handling, 0)) sched_yield(); /* one on another thread is about to write to the pipe */
        loop->woken = 1;
    }
    loop->hears = 0;
    for (s = sys->signals; s; s = s->next) {
        if (!s->kept || !s->waiters.ring) continue;
        s->kept = 0;
        axi_wake_all(&s->waiters, s->number);
    }
    for (i = 0; i < AXI_STOPS; i++) {
        if (!(sys->asked & axi_stops[i].flag) || loop->signalled) continue; /* until main has taken the first one back */
        if (!loop->main || loop->main->node.state == AXI_DONE) continue; /* too late: it is for the run around */
        sys->asked &= ~axi_stops[i].flag;
        sys->late = loop->main->node.state == AXI_PARKED ? 0 : axi_stops[i].flag;
        loop->signalled = axi_stops[i].number;
        ax_cancel(loop->main);
    }
}

static void axi_signal_taken_back(ax_loop *loop) {
    loop->signalled = 0;
    loop->hears = 1; /* another may have come meanwhile */
}

static void axi_signals_to(ax_loop *loop) {
    AXI_STORE(axi_signal_thread, loop ? loop->thread : 0);
    AXI_STORE(axi_signal_loop, loop);
    AXI_SWAP(axi_signal_pipe, loop ? AXI_SYS(loop)->pipe[1] : -1);
}

static void axi_signals_of(ax_loop *loop) { /* the same without the lock: another thread's loop may be about to take them over */
    pthread_mutex_lock(&axi_post_lock);
    axi_signals_to(loop);
    pthread_mutex_unlock(&axi_post_lock);
}

/* Whether this thread blocked it so far. */
static int axi_block(int number, int on) {
#ifndef _WIN32
    sigset_t only, old;
    sigemptyset(&only);
    sigaddset(&only, number);
    return pthread_sigmask(on ? SIG_BLOCK : SIG_UNBLOCK, &only, &old) == 0 && sigismember(&old, number);
#else
    (void)number, (void)on;
    return 0;
#endif
}

AX_API int ax_signal_catch(ax_loop *loop, int number) {
    struct axi_sys *sys = AXI_SYS(loop);
    ax_loop *catcher, *outer = NULL;
    struct axi_signal *s;
    struct sigaction act;
    if (axi_foreign(loop) || loop->state == AXI_CLOSED) return AX_EPERM;
    if (number < 1 || number >= AXI_SIGNALS) return AX_EINVAL;
    if (axi_signal_of(loop, number)) return 0;
    if (!(s = (struct axi_signal *)axi_alloc(loop, sizeof *s))) return AX_ENOMEM;
    memset(s, 0, sizeof *s);
    s->number = number;
    pthread_mutex_lock(&axi_post_lock); /* loops of two threads may ask at once */
    catcher = AXI_LOAD(axi_signal_loop);
    if (!catcher) axi_signals_to(loop);
    if (!catcher || catcher == loop) {
        axi_deal_signals(catcher);
        for (outer = sys->outer; outer && !axi_signal_of(outer, number); outer = AXI_SYS(outer)->outer) {}
    }
    pthread_mutex_unlock(&axi_post_lock);
    if ((catcher && catcher != loop) || outer) {
        axi_free(loop, s, sizeof *s);
        return AX_EBUSY;
    }
    memset(&act, 0, sizeof act);
    act.sa_handler = axi_on_signal;
    act.sa_flags = SA_RESTART;
    if (sigaction(number, &act, &s->old) < 0) {
        int rc = -errno;
        if (!catcher) axi_signals_of(NULL);
        axi_free(loop, s, sizeof *s);
        return rc;
    }
    s->blocked = axi_block(number, 0);
    s->kept = (sys->asked & axi_stop_flag(number)) != 0; /* main, which has not heard of it, does not ask for it any more */
    sys->asked &= ~axi_stop_flag(number);
    s->next = sys->signals;
    sys->signals = s;
    return 0;
}

AX_API ax_op ax_signal_wait(ax_task *me, int number) {
    struct axi_signal *s;
    int rc;
    AXI_REFUSE(me);
    if ((rc = ax_signal_catch(me->loop, number)) < 0) return ax_done(rc);
    axi_deal_signals(AXI_LOAD(axi_signal_loop));
    s = axi_signal_of(me->loop, number);
    if (!s->kept) return axi_wait_in(me, &s->waiters);
    s->kept = 0;
    axi_wake_all(&s->waiters, number); /* it is theirs as well */
    return ax_done(number);
}

/* Not from a handler of the program's, nor where the signal is ignored (nohup). */
static int axi_may_stop(const ax_loop *outer, int i, const struct sigaction *old) {
    int no_other = old->sa_handler == SIG_DFL || old->sa_handler == axi_on_stop || old->sa_handler == axi_on_signal;
    return no_other && !axi_is_second(outer, i);
}

static void axi_catch_stops(ax_loop *loop) {
    struct axi_sys *sys = AXI_SYS(loop);
    ax_loop *outer;
    struct sigaction act;
    int i;
    if (!(loop->desc.flags & (AX_CATCH_SIGINT | AX_CATCH_SIGTERM))) return;
    pthread_mutex_lock(&axi_post_lock); /* another thread's run may begin at once */
    outer = AXI_LOAD(axi_signal_loop);
    if (!outer || AXI_LOAD(axi_signal_thread) == loop->thread) {
        axi_deal_signals(outer);
        for (i = 0; i < AXI_STOPS; i++)
            if (loop->desc.flags & axi_stops[i].flag && sigaction(axi_stops[i].number, NULL, &sys->before[i]) == 0 &&
                axi_may_stop(outer, i, &sys->before[i]))
                sys->stops |= axi_stops[i].flag;
    }
    if (sys->stops) {
        sys->outer = outer;
        axi_signals_to(loop);
    }
    pthread_mutex_unlock(&axi_post_lock);
    if (!sys->stops) return;
    axi_note_stops(loop);
    memset(&act, 0, sizeof act);
    act.sa_handler = axi_on_stop;
#ifdef _WIN32
    act.sa_flags = SA_RESETHAND; /* the second one meets the default action */
#endif
    for (i = 0; i < AXI_STOPS; i++) {
        if (!(sys->stops & axi_stops[i].flag)) continue;
        if (!outer) AXI_STORE(axi_stop_at[i], 0);
        sigaction(axi_stops[i].number, &act, NULL);
    }
}

/* What the signal did before: where a run inside has caught it since, that one puts it back. */
static void axi_put_back(const ax_loop *loop, const struct axi_signal *s) {
    ax_loop *inner = AXI_LOAD(axi_signal_loop);
    struct sigaction *now = NULL;
    int i;
    for (; inner != loop; inner = AXI_SYS(inner)->outer)
        for (i = 0; i < AXI_STOPS; i++)
            if (axi_stops[i].number == s->number && AXI_SYS(inner)->stops & axi_stops[i].flag) now = &AXI_SYS(inner)->before[i];
    if (s->blocked) axi_block(s->number, 1);
    if (now) *now = s->old;
    else sigaction(s->number, &s->old, NULL);
}

/* What came is dealt; what comes from now on is for the loops around, as what main was too late for. Then all is as it was before
   another loop may catch signals. */
static void axi_signals_end(ax_loop *loop) {
    struct axi_sys *sys = AXI_SYS(loop);
    ax_loop *inner = AXI_LOAD(axi_signal_loop);
    struct axi_signal *s, *signals = sys->signals;
    unsigned stops = sys->stops;
    int i;
    if (!stops && !signals) return;
    axi_deal_signals(inner);
    sys->signals = NULL;
    sys->stops = 0;
    for (i = 0; i < AXI_STOPS; i++)
        if (sys->asked & axi_stops[i].flag) axi_signal_for(sys->outer, axi_stops[i].number, 0);
    axi_note_stops(inner); /* before the handlers that ask for it are back */
    while ((s = signals) != NULL) {
        signals = s->next;
        axi_put_back(loop, s);
        axi_wake_all(&s->waiters, AX_ECANCELED); /* of a loop that can't end them */
        axi_free(loop, s, sizeof *s);
    }
    for (i = 0; i < AXI_STOPS; i++)
        if (stops & axi_stops[i].flag) sigaction(axi_stops[i].number, &sys->before[i], NULL);
    if (inner == loop) {
        axi_signals_of(sys->outer);
    } else {
        while (AXI_SYS(inner)->outer != loop) inner = AXI_SYS(inner)->outer;
        AXI_SYS(inner)->outer = sys->outer;
    }
    while (AXI_ADD(axi_handling, 0)) sched_yield(); /* on another thread one may have read the pipe's number: soon another file's */
    pthread_mutex_lock(&axi_post_lock);
    if (!AXI_LOAD(axi_signal_loop)) axi_deal_signals(NULL); /* too late, and for nobody */
    pthread_mutex_unlock(&axi_post_lock);
    if (sys->outer && AXI_LOAD(axi_came[0])) axi_poke(AXI_SYS(sys->outer)); /* the pipe of this loop was told of it */
}

/* ---- 16 Running a program ---- */

static AXI_THREAD_LOCAL int axi_open_error; /* why axi_run_open gave no frame */
static AXI_THREAD_LOCAL int axi_last_signal; /* which ended the last AX_RUN */

AX_API ax_frame *axi_run_open(ax_loop *loop, const ax_loop_desc *desc, size_t size) {
    ax_loop_desc own;
    ax_frame *f;
    int in_heap = !loop;
    memset(&own, 0, sizeof own);
    own.flags = AX_CATCH_SIGINT | AX_CATCH_SIGTERM;
    axi_open_error = AX_ENOMEM;
    if (in_heap && !(loop = (ax_loop *)malloc(sizeof *loop))) return NULL;
    if (!axi_current) axi_last_report[0] = 0; /* a run around this one may have said it */
    axi_open_error = ax_loop_open(loop, desc ? desc : &own);
    if (axi_open_error >= 0) {
        f = axi_task_new(&loop->root, size);
        if (f) return f;
        ax_loop_close(loop);
        axi_open_error = AX_ENOMEM;
    }
    if (in_heap) free(loop);
    return NULL;
}

static void axi_main_done(ax_loop *loop, void *status) {
    *(int *)status = ax_task_status(loop->main);
    if (loop->main->node.flags & AXI_UNMET && *(int *)status != AX_ECANCELED) AXI_SYS(loop)->asked |= AXI_SYS(loop)->late;
    ax_task_unref(loop->main);
    loop->main = NULL;
    ax_loop_stop(loop);
}

AX_API int axi_run_main(ax_loop *given, ax_frame *frame, const struct axi_fn *fn) {
    ax_task *t = axi_task_start(NULL, frame, fn);
    ax_loop *loop = t ? t->loop : NULL;
    ax_callback done;
    int status = AX_EINPROGRESS, rc, ended;
    memset(&axi_last, 0, sizeof axi_last);
    axi_last_signal = 0;
    if (!t) return axi_open_error < 0 ? axi_open_error : AX_ENOMEM;
    axi_catch_stops(loop);
    memset(&done, 0, sizeof done);
    loop->main = ax_task_ref(t);
    ax_on_done(t, &done, axi_main_done, &status);
    rc = ax_loop_run(loop);
    if (rc < 0 && loop->main) axi_note_origin(t, t->frame, rc); /* where main waits for ever */
    ended = ax_loop_close(loop); /* where main ends, if ax_loop_stop came first */
    if (rc < 0) status = rc;
    else if ((status >= 0 || status == AX_EINPROGRESS) && ended < 0) status = ended;
    if (status == AX_ECANCELED && loop->signalled) {
        status = AX_EINTR;
        axi_last_signal = loop->signalled;
    }
    memset(&axi_last, 0, sizeof axi_last); /* of a run inside */
    if (status < 0 && loop->origin.status == status) axi_last = loop->origin;
    axi_last.status = status;
    if (loop != given) free(loop);
    return status;
}

AX_API void ax_report_stderr(void *ctx, const char *text) {
    (void)ctx;
    fprintf(stderr, "asyncx: %s\n", text);
}

AX_API int ax_exit(int status) {
    if (axi_last_report[0]) ax_report_stderr(NULL, axi_last_report);
    if (status == AX_EINTR) return 128 + (axi_last_signal ? axi_last_signal : SIGINT);
    if (status == 0) return axi_last_report[0] != 0;
    if (status > 0) return status <= 125 ? status : 1;
    fprintf(stderr, "%s: %s", ax_errname(status), ax_strerror(status));
    if (axi_last.status == status && axi_last.name) {
        fprintf(stderr, " (in %s, %s", axi_last.name, axi_last.file);
        if (axi_last.line) fprintf(stderr, ":%d", axi_last.line);
        fputs(")", stderr);
    }
    fputc('\n', stderr);
    return 1;
}

#else /* freestanding */
/* ---- 17 Microcontrollers: flags, and the loop over the port ---- */

AX_API int ax_flag_take(ax_flag *f) {
    unsigned char set = f->set, n = (unsigned char)(set - f->seen);
    f->seen = set;
    return n;
}

static int axi_forget_flag(ax_task *t, void *flag) {
    ax_flag *f = (ax_flag *)flag, **at = &t->loop->flags;
    while (*at != f) at = &(*at)->next;
    *at = f->next;
    f->waiter = NULL;
    return 0;
}

/* Whether a flag was set that somebody waits for; if so, wakes them. */
static int axi_flags_came(ax_loop *loop, int take) {
    ax_flag *f, *next;
    int came = 0;
    for (f = loop->flags; f; f = next) {
        ax_task *t = f->waiter;
        next = f->next;
        if (f->set == f->seen) continue;
        came = 1;
        if (!take || !(t->rc = f->take(f))) continue;
        axi_forget_flag(t, f);
        axi_wake(t, t->rc);
    }
    return came;
}
#define AXI_CAME(loop, take) ((loop)->came && (loop)->came((loop), (take)))

static ax_op axi_flag_wait(ax_task *me, ax_flag *f, int (*take)(ax_flag *)) {
    ax_flag **last = &me->loop->flags;
    int rc;
    AXI_REFUSE(me);
    if (f->waiter) return ax_done(AX_EBUSY);
    if ((rc = take(f)) != 0) return ax_done(rc);
    f->take = take;
    f->waiter = me;
    while (*last) last = &(*last)->next;
    f->next = NULL;
    *last = f;
    me->loop->came = axi_flags_came;
    return axi_park(me, axi_forget_flag, f);
}

AX_API ax_op ax_flag_wait(ax_task *me, ax_flag *f) { return axi_flag_wait(me, f, ax_flag_take); }

static int axi_ring_take(ax_flag *f) {
    ax_ring *r = (ax_ring *)(void *)f;
    unsigned char *to = r->to, lost = r->lost; /* before the bytes: what is in the ring after a loss came before it */
    int n;
    ax_flag_take(f);
    for (n = 0; n < r->size && r->tail != r->head; n++) {
        *to++ = r->buffer[r->tail];
        r->tail = (unsigned char)((r->tail + 1) & r->mask);
    }
    if (n || !lost) return n;
    r->lost = 0;
    return AX_EOVERFLOW;
}

static int axi_ring_reader(ax_ring *r, void *buffer, size_t size) {
    if (r->flag.waiter) return AX_EBUSY;
    if (!size) return AX_EINVAL;
    r->to = (unsigned char *)buffer;
    r->size = (unsigned char)(size < 255 ? size : 255);
    return 0;
}

AX_API int ax_ring_try_read(ax_ring *r, void *buffer, size_t size) {
    int rc = axi_ring_reader(r, buffer, size);
    if (!rc) rc = axi_ring_take(&r->flag);
    return rc ? rc : AX_EAGAIN;
}

AX_API ax_op ax_ring_read(ax_task *me, ax_ring *r, void *buffer, size_t size) {
    int rc = axi_dead_stack(me->loop, buffer) ? AX_EFAULT : axi_ring_reader(r, buffer, size);
    return rc < 0 ? ax_done(rc) : axi_flag_wait(me, &r->flag, axi_ring_take);
}

static void axi_run_ready(ax_loop *loop) {
    for (loop->turn_last = loop->ready.ring; loop->turn_last;) {
        axi_link *link = axi_dequeue(loop);
        if (loop->turn_last == link) loop->turn_last = NULL; /* it may be queued anew: not for this turn */
#if AXI_CANCEL
        if (!AXI_IS_TASK((axi_node *)(void *)link)) axi_run_callback(loop, (ax_callback *)(void *)link);
        else
#endif
            axi_run_task((ax_task *)(void *)link);
    }
}

static void axi_turn(ax_loop *loop) {
    axi_run_timers(loop);
    (void)AXI_CAME(loop, 1);
    axi_run_ready(loop);
}

static int axi_enter(ax_loop *loop, int state) {
    if (loop->state != AXI_IDLE) return loop->state == AXI_CLOSED ? AX_EPERM : AX_EBUSY;
    loop->state = (unsigned char)state;
    loop->stop = 0;
#if ASYNCX_DEBUG
    loop->stack = axi_stack();
#endif
    return 0;
}

static void axi_leave(ax_loop *loop) {
    loop->state = AXI_IDLE;
#if ASYNCX_DEBUG
    loop->stack = 0;
#endif
}

/* Turns until nothing keeps the loop, it is stopped, or this task has ended. */
static int axi_run(ax_loop *loop, int state, const ax_task *until) {
    int rc = axi_enter(loop, state);
    if (rc < 0) return rc;
    for (;;) {
        axi_turn(loop);
        if (loop->stop || (until && until->node.state == AXI_DONE)) break;
        if (axi_any_ready(loop)) continue;
#if AXI_CANCEL
        if (!loop->root.children.ring && !(loop->alive && state == AXI_IN_RUN)) break;
#else
        if (!loop->tasks) break;
#endif
        if (!axi_any_timer(loop) && !loop->flags) {
            rc = AX_EDEADLK;
            break;
        }
        ax_port_lock();
        if (!AXI_CAME(loop, 0)) ax_port_idle(axi_next_when(loop));
        ax_port_unlock();
    }
    axi_leave(loop);
    return rc;
}

AX_API int ax_loop_run(ax_loop *loop) { return axi_run(loop, AXI_IN_RUN, NULL); }

AX_API void ax_loop_stop(ax_loop *loop) {
    if (loop->state != AXI_CLOSING_LOOP) loop->stop = 1;
}

AX_API int ax_run_once(ax_loop *loop) {
    int rc = axi_enter(loop, AXI_IN_RUN);
    if (rc < 0) return rc;
    axi_turn(loop);
    axi_leave(loop);
    return axi_any_ready(loop);
}

AX_API ax_time ax_next_deadline(ax_loop *loop) {
    return axi_any_ready(loop) || AXI_CAME(loop, 0) ? ax_now(loop) : axi_next_when(loop);
}

AX_API int ax_loop_open(ax_loop *loop, const ax_loop_desc *desc) {
    axi_clear(loop, sizeof *loop);
    loop->timers.next = &loop->timers;
    loop->root.loop = loop;
#if AXI_CANCEL
    loop->root.flags = (unsigned)AX_GROUP_COLLECT | AXI_OPEN;
#endif
    if (desc && desc->arena) {
        size_t skip = (size_t)(0 - (uintptr_t)desc->arena) % sizeof(struct axi_gap); /* to an aligned address */
        struct axi_gap *gap = (struct axi_gap *)(void *)((char *)desc->arena + skip);
        if (desc->arena_size < skip + sizeof *gap) return AX_EINVAL;
        skip = desc->arena_size - skip;
        gap->size = skip - skip % sizeof *gap;
        gap->next = NULL;
        loop->gaps = gap;
    }
    loop->state = AXI_IDLE;
    axi_clock(loop);
    return 0;
}

#if AXI_CANCEL
AX_API int ax_loop_close(ax_loop *loop) {
    axi_list all; /* their memory is the arena's, or their own */
    int rc;
    if (loop->state == AXI_CLOSED) return 0;
    if (loop->state != AXI_IDLE) return AX_EBUSY;
    axi_cancel_all(loop);
    rc = axi_run(loop, AXI_CLOSING_LOOP, NULL);
    loop->state = AXI_CLOSING_LOOP;
    while (loop->closers.ring) {
        axi_link *last = axi_tail(&loop->closers);
        axi_take(&loop->closers, last);
        axi_run_callback(loop, (ax_callback *)(void *)last);
    }
    axi_run_ready(loop); /* what they have asked for */
    while (axi_any_timer(loop)) { /* timers and callbacks that were not called may serve again */
        ax_timer *t = (ax_timer *)(void *)axi_next_timer(loop);
        axi_timer_drop(loop, &t->callback.node);
        if (!AXI_IS_TASK(&t->callback.node)) t->armed = 0;
    }
    while (axi_any_ready(loop)) {
        ax_callback *c = (ax_callback *)(void *)axi_dequeue(loop);
        if (!AXI_IS_TASK(&c->node)) c->list = NULL;
    }
    loop->state = AXI_CLOSED;
    loop->root.flags = 0;
    axi_give_up(loop, &all);
    return rc;
}
#endif

AX_API int axi_run_open(ax_loop *loop, const ax_loop_desc *desc, ax_task *t) {
    if (loop->state > AXI_IDLE) return AX_EBUSY; /* it is still running */
    t->node.state = AXI_NEW_; /* a loop that knew it is gone */
    return ax_loop_open(loop, desc);
}

AX_API int axi_run_main(ax_loop *loop, ax_task *t) {
    int rc = axi_run(loop, AXI_IN_RUN, t);
#if AXI_CANCEL
    int closed = ax_loop_close(loop);
    if (rc >= 0) rc = closed;
#endif
    return rc < 0 ? rc : ax_task_status(t);
}
#endif /* ASYNCX_FREESTANDING */

#if defined(_WIN32) && !defined(ASYNCX_FREESTANDING) /* from here on these names are the program's again */
#undef socket
#undef connect
#undef bind
#undef listen
#undef accept
#undef getsockname
#undef getpeername
#undef getsockopt
#undef setsockopt
#undef recv
#undef recvfrom
#undef send
#undef sendto
#undef read
#undef write
#undef close
#undef poll
#undef getaddrinfo
#undef pipe
#undef nfds_t
#undef sockaddr_un
#undef sa_family_t
#undef lstat
#undef unlink
#undef S_ISSOCK
#undef SHUT_RD
#undef ssize_t
#undef clock_gettime
#undef pthread_mutex_t
#undef PTHREAD_MUTEX_INITIALIZER
#undef pthread_mutex_init
#undef pthread_mutex_destroy
#undef pthread_mutex_lock
#undef pthread_mutex_unlock
#undef pthread_cond_t
#undef pthread_cond_init
#undef pthread_cond_destroy
#undef pthread_cond_signal
#undef pthread_cond_broadcast
#undef pthread_cond_wait
#undef pthread_cond_timedwait
#undef pthread_t
#undef pthread_self
#undef pthread_create
#undef pthread_join
#undef pthread_detach
#undef sched_yield
#undef SA_RESTART
#undef SA_RESETHAND
#undef pthread_sigmask
#undef sigfillset
#undef sigset_t
#undef sigaction
#pragma pop_macro("pthread_sigmask")
#pragma pop_macro("PTHREAD_MUTEX_INITIALIZER")
#endif

#ifdef __cplusplus
}
#endif
#endif /* ASYNCX_IMPLEMENTATION */

/* Copyright (c) 2026 the asyncx authors

   Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
   files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
   modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software
   is furnished to do so.

   THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
   WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT
   HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
   OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE. */
