/* answer.c: what each answer takes on a simulated Cortex-M, in ticks of its timer, and what it is.
 *
 * Reads "rows", ROW_SIZE bytes each; writes "answered": for each row the ticks (under -icount shift=6 an
 * instruction is 1.6 of them) and the answer, 4 bytes each. `answer` is linked in. */
#include "board.h"

static volatile uint32_t *const timer = (volatile uint32_t *)0xE000E010;
static union {
    uint8_t bytes[ROW_SIZE];
    uint32_t aligned;
} row;

uint32_t answer(const void *row);

__attribute__((noinline)) static uint32_t ticks_of_nothing(void)
{
    const uint32_t start = timer[2];
    return (start - timer[2]) & 0xFFFFFF;
}

int main(void)
{
    const int32_t rows = board_open("rows", 1), answered = board_open("answered", 5);
    timer[1] = 0xFFFFFF;
    timer[2] = 0;
    timer[0] = 5;
    while (board_read(rows, &row, ROW_SIZE)) {
        uint32_t found[2];
        const uint32_t start = timer[2];
        found[1] = answer(&row);
        found[0] = ((start - timer[2]) & 0xFFFFFF) - ticks_of_nothing();
        board_write(answered, found, sizeof found);
    }
    return 0;
}
