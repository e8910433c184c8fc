/* There are no interrupts on the host's board: input is delivered while it idles. */
#ifndef PORT_H
#define PORT_H
#ifndef ASYNCX_FREESTANDING
#define ASYNCX_FREESTANDING
#endif
#endif
