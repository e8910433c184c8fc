/* Start-up of a RISC-V hart in machine mode: stack, gp, the trap handler, .data, .bss, main. */
    .section .reset, "ax"
    .global reset
reset:
    .option push
    .option norelax /* or the linker would express gp by gp */
    la gp, __global_pointer$
    .option pop
    la sp, stack_top
    la t0, trap
    csrw mtvec, t0 /* direct mode: all traps go there */
    la t0, data_load
    la t1, data_start
    la t2, data_end
1:  bgeu t1, t2, 2f
    lw t3, 0(t0)
    sw t3, 0(t1)
    addi t0, t0, 4
    addi t1, t1, 4
    j 1b
2:  la t1, bss_start
    la t2, bss_end
3:  bgeu t1, t2, 4f
    sw zero, 0(t1)
    addi t1, t1, 4
    j 3b
4:  call main
    tail board_exit
