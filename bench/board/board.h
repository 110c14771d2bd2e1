/* board.h: what a simulated Cortex-M or RISC-V asks of its simulator, by semihosting. */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ask the simulator for something; the words are its arguments. */
static inline int32_t board_call(int32_t what, const void *words)
{
#if defined(__riscv)
    register int32_t a0 __asm__("a0") = what;
    register const void *a1 __asm__("a1") = words;
    __asm__ volatile(".balign 16\n.option push\n.option norvc\nslli zero, zero, 0x1f\nebreak\n"
                     "srai zero, zero, 7\n.option pop" : "+r"(a0) : "r"(a1) : "memory");
    return a0;
#else
    register int32_t r0 __asm__("r0") = what;
    register const void *r1 __asm__("r1") = words;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
#endif
}

/* Open a file of the simulator's folder: mode 1 to read it, 5 to write it anew, as bytes. */
static inline int32_t board_open(const char *name, uint32_t mode)
{
    size_t length = 0;
    while (name[length] != '\0') {
        length++;
    }
    {
        const uintptr_t words[3] = { (uintptr_t)name, mode, length };
        return board_call(0x01, words);
    }
}

/* Read all of some bytes; says whether there were as many. */
static inline bool board_read(int32_t file, void *data, size_t size)
{
    const uintptr_t words[3] = { (uintptr_t)file, (uintptr_t)data, size };
    return size == 0 || board_call(0x06, words) == 0;
}

static inline void board_write(int32_t file, const void *data, size_t size)
{
    const uintptr_t words[3] = { (uintptr_t)file, (uintptr_t)data, size };
    if (size > 0) {
        board_call(0x05, words);
    }
}

/* End the simulation with an exit status. */
static inline void board_exit(int32_t status)
{
    const uintptr_t words[2] = { 0x20026, (uintptr_t)status };
    board_call(0x20, words);
    for (;;) {
    }
}

#endif
