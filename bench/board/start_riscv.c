/* start_riscv.c: from reset to main on a simulated RISC-V, and out again with its status (99: a fault). */
#include "board.h"

extern uint32_t bss_start, bss_end, data_start, data_end;
extern const uint32_t data_load;
int main(void);

__attribute__((aligned(4))) static void fault(void)
{
    board_exit(99);
}

__attribute__((used)) static void begin(void)
{
    const uint32_t *from = &data_load;
    __asm__ volatile(".option push\n.option arch, +zicsr\ncsrw mtvec, %0\n.option pop" : : "r"(fault));
#if defined(__riscv_flen)
    __asm__ volatile(".option push\n.option arch, +zicsr\ncsrs mstatus, %0\n.option pop" : : "r"(1u << 13));
#endif
    for (uint32_t *to = &data_start; to < &data_end; to++) {
        *to = *from++;
    }
    for (uint32_t *to = &bss_start; to < &bss_end; to++) {
        *to = 0;
    }
    board_exit(main());
}

__attribute__((naked, section(".vectors"), used)) void reset(void)
{
    __asm__ volatile("la sp, stack_top\nj begin");
}
