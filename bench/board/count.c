/* count.c: what each step takes: instructions, and bytes of stack.
 *
 * Reads "params" and "rows" (structs as they lie), writes "counted": for each row the ticks and the bytes
 * of stack, u32 each. On a Cortex-M, ticks are of its timer (under -icount shift=6 an instruction is 1.6
 * of them); on a RISC-V with shift=0 they are its instructions. */
#include "board.h"
#include "p.h"

#if !defined(PARAMS_SIZE) || !defined(IN_SIZE)
#error "PARAMS_SIZE and IN_SIZE are the bytes of the two structs, 0 for an empty one"
#endif

#define PAINTED 65536
#define PAINT 0xA5A5A5A5u

#if defined(__riscv)
static uint32_t now(void)
{
    uint32_t done;
    __asm__ volatile(".option push\n.option arch, +zicsr\ncsrr %0, minstret\n.option pop" : "=r"(done) : : "memory");
    return done;
}

static void begin(void)
{
}
#else
static volatile uint32_t *const timer = (volatile uint32_t *)0xE000E010;

static uint32_t now(void)
{
    return 0xFFFFFF - timer[2];
}

static void begin(void)
{
    timer[1] = 0xFFFFFF;
    timer[2] = 0;
    timer[0] = 5;
}
#endif

static p_state state, before;
static p_params params;
static p_in in;
static p_out out;

__attribute__((noinline)) static uint32_t ticks_of_step(void)
{
    const uint32_t start = now();
    p_step(&state, &params, &in, &out);
    return (now() - start) & 0xFFFFFF;
}

__attribute__((noinline)) static uint32_t ticks_of_nothing(void)
{
    const uint32_t start = now();
    return (now() - start) & 0xFFFFFF;
}

/* Paint the stack below this function, run a step, and see how far the paint is gone. */
__attribute__((noinline)) static uint32_t depth_of_step(void)
{
    register uintptr_t stack __asm__("sp");
    volatile uint32_t *const top = (volatile uint32_t *)stack;
    volatile uint32_t *at;
    for (at = top - PAINTED / 4; at < top; at++) {
        *at = PAINT;
    }
    p_step(&state, &params, &in, &out);
    for (at = top - PAINTED / 4; at < top && *at == PAINT; at++) {
    }
    return (uint32_t)((uintptr_t)top - (uintptr_t)at);
}

int main(void)
{
    const int32_t rows = board_open("rows", 1), counted = board_open("counted", 5);
    if (!board_read(board_open("params", 1), &params, PARAMS_SIZE)) {
        return 2;
    }
    begin();
    p_init(&state);
    while (board_read(rows, &in, IN_SIZE)) {
        uint32_t found[2];
        before = state;
        found[1] = depth_of_step();
        state = before;
        found[0] = ticks_of_step() - ticks_of_nothing();
        board_write(counted, found, sizeof found);
    }
    return 0;
}
