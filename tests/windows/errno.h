/* For tests on Windows: the numbers of Linux, which traces tell. */
#include <errno.h>
#undef EDEADLK
#undef ENAMETOOLONG
#undef EOVERFLOW
#undef EADDRINUSE
#undef ENETUNREACH
#undef ECONNABORTED
#undef ECONNRESET
#undef ETIMEDOUT
#undef ECONNREFUSED
#undef EHOSTUNREACH
#undef EALREADY
#undef EINPROGRESS
#undef ECANCELED
#define EDEADLK 35
#define ENAMETOOLONG 36
#define EOVERFLOW 75
#define EADDRINUSE 98
#define ENETUNREACH 101
#define ECONNABORTED 103
#define ECONNRESET 104
#define ETIMEDOUT 110
#define ECONNREFUSED 111
#define EHOSTUNREACH 113
#define EALREADY 114
#define EINPROGRESS 115
#define ECANCELED 125
