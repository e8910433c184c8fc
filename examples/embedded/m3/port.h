/* The parts of the port that are one instruction each: inline. */
#ifndef PORT_H
#define PORT_H
static inline void ax_port_lock(void) { __asm volatile("cpsid i" ::: "memory"); }
static inline void ax_port_unlock(void) { __asm volatile("cpsie i" ::: "memory"); }
static inline void ax_port_wake(void) {} /* the interrupt that calls it has ended the sleep */
#define ax_port_lock ax_port_lock
#define ax_port_unlock ax_port_unlock
#define ax_port_wake ax_port_wake
#endif
