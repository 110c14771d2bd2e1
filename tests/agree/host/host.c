/* host.c: runs jobs of many programs: readings in; results, what fired and the state at the end out.
 *
 * A job is: which program, how many rows, whether from the first state (u32 each, little-endian); the
 * state where it is not; the parameters; the rows. For each row it gives the result and what fired
 * (u32, little-endian), after the last row the state. Structs lie as this machine lays them out. */
#include "host.h"

#include <string.h>

#if defined(BOARD) || defined(SERIAL)

/* Memory from one pool that starts anew for each job. */
static union {
    uint32_t aligned;
    unsigned char bytes[POOL];
} pool;
static size_t pool_used;

static void *allot(size_t size)
{
    void *data = &pool.bytes[pool_used];
    pool_used += ((size > 0 ? size : 1) + 3u) & ~(size_t)3u;
    return pool_used <= sizeof pool.bytes ? data : NULL;
}

static void release(void *data)
{
    (void)data;
    pool_used = 0;
}

#endif

#if defined(BOARD)

/* Files, read and written through the simulator. */
#include "board.h"

static int32_t from, to;

static void open_files(void)
{
    from = board_open("jobs", 1);
    to = board_open("results", 5);
}

static bool take(void *data, size_t size)
{
    return board_read(from, data, size);
}

static void give(const void *data, size_t size)
{
    board_write(to, data, size);
}

#elif defined(SERIAL)

/* Jobs lie in the flash of an AVR; results go over its serial line, in hexadecimal. */
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>

#define LINE 24

extern const __flash uint8_t jobs[];
extern const uint16_t job_bytes;
static uint16_t taken;
static uint8_t column;

static void put(char c)
{
    while ((UCSR0A & (1 << UDRE0)) == 0) {
    }
    UDR0 = (uint8_t)c;
}

static void open_files(void)
{
    UCSR0A = 1 << U2X0;
    UCSR0B = 1 << TXEN0;
}

static bool take(void *data, size_t size)
{
    uint8_t *at = (uint8_t *)data;
    if (size > (size_t)(job_bytes - taken)) {
        return false;
    }
    for (; size > 0; size--) {
        *at++ = jobs[taken++];
    }
    return true;
}

static void give(const void *data, size_t size)
{
    const uint8_t *at = (const uint8_t *)data;
    for (; size > 0; size--) {
        const uint8_t byte = *at++;
        if (column == 0) {
            put(':');
        }
        put("0123456789abcdef"[byte >> 4]);
        put("0123456789abcdef"[byte & 15]);
        column = (uint8_t)(column + 1);
        if (column == LINE) {
            put('\n');
            column = 0;
        }
    }
}

static void close_files(void)
{
    put('\n');
    while ((UCSR0A & (1 << UDRE0)) == 0) {
    }
    cli();
    sleep_enable();
    sleep_cpu();
}

#define CLOSED

#else

#include <stdio.h>
#include <stdlib.h>

static void open_files(void)
{
}

static bool take(void *data, size_t size)
{
    return fread(data, 1, size, stdin) == size;
}

static void give(const void *data, size_t size)
{
    fwrite(data, 1, size, stdout);
}

static void *allot(size_t size)
{
    return malloc(size > 0 ? size : 1);
}

static void release(void *data)
{
    free(data);
}

#endif

#ifndef CLOSED
static void close_files(void)
{
}
#endif

static bool take_word(uint32_t *word)
{
    unsigned char b[4];
    const bool found = take(b, sizeof b);
    *word = found ? (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24 : 0;
    return found;
}

static void give_word(uint32_t word)
{
    unsigned char b[4];
    int k;
    for (k = 0; k < 4; k++) {
        b[k] = (unsigned char)(word >> (8 * k));
    }
    give(b, sizeof b);
}

/* Run one job; whatever is not written by the program must not come from a row before. */
static int job(const program *p, uint32_t rows, bool fresh)
{
    void *state = allot(p->state), *params = allot(p->params), *in = allot(p->in), *out = allot(p->out);
    if (state == NULL || params == NULL || in == NULL || out == NULL) {
        return 3;
    }
    if (fresh) {
        memset(state, 0x5a, p->state > 0 ? p->state : 1);
        p->init(state);
    } else if (!take(state, p->state)) {
        return 2;
    }
    if (!take(params, p->params)) {
        return 2;
    }
    for (; rows > 0; rows--) {
        uint32_t fired;
        if (!take(in, p->in)) {
            return 2;
        }
        memset(out, 0xa5, p->out);
        fired = p->step(state, params, in, out);
        give(out, p->out);
        give_word(fired);
    }
    give(state, p->state);
    release(out);
    release(in);
    release(params);
    release(state);
    return 0;
}

int main(void)
{
    uint32_t which, rows, fresh;
    open_files();
    while (take_word(&which) && take_word(&rows) && take_word(&fresh)) {
        const int status = which < program_count ? job(&programs[which], rows, fresh != 0) : 4;
        if (status != 0) {
            return status;
        }
    }
    close_files();
    return 0;
}
