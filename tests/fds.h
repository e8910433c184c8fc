/* How many descriptors below `most` are open: what a test has not given back. */
#ifndef FDS_H
#define FDS_H
#include <fcntl.h>
static inline int open_fds(int most) {
    int fd, n = 0;
    for (fd = 0; fd < most; fd++) n += fcntl(fd, F_GETFD) >= 0;
    return n;
}
#endif
