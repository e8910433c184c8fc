/* An echo server with State Threads: a thread with a stack of its own for each connection, over poll() as in its Debian package. */
#include "conn.h"
#include <st.h>

static void *serve(void *arg) {
    st_netfd_t fd = (st_netfd_t)arg;
    char buffer[128];
    ssize_t n;
    while ((n = st_read(fd, buffer, sizeof buffer, ST_UTIME_NO_TIMEOUT)) > 0)
        if (st_write(fd, buffer, (size_t)n, ST_UTIME_NO_TIMEOUT) != n) break;
    st_netfd_close(fd);
    return NULL;
}

int main(int argc, char **argv) {
    st_netfd_t listener, fd;
    if (st_set_eventsys(ST_EVENTSYS_POLL) < 0 || st_init() < 0) return 1;
    listener = (st_netfd_t)must(st_netfd_open_socket(listen_on(argv[argc - 1])));
    while ((fd = st_accept(listener, NULL, NULL, ST_UTIME_NO_TIMEOUT)) != NULL) must(st_thread_create(serve, fd, 0, 16 * 1024));
    return 1;
}
