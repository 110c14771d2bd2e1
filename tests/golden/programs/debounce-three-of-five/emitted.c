/* p.c: Debounce, as emitted by bimetal. */
#include "p.h"

#include <float.h>
#include <stdbool.h>
#include <string.h>

/* One rounding for each operation: nothing may be contracted or kept in wider registers. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize ("fp-contract=off")
#elif defined(_MSC_VER)
#pragma fp_contract(off)
#else
#pragma STDC FP_CONTRACT OFF
#endif
#if defined(FLT_EVAL_METHOD) && (FLT_EVAL_METHOD < 0 || FLT_EVAL_METHOD == 1 || FLT_EVAL_METHOD == 2)
#error "float must be computed as float: -msse2 -mfpmath=sse on 32-bit x86, -fexcess-precision=fast else"
#endif
#if defined(__FAST_MATH__)
#error "-ffast-math changes results: leave it out"
#endif
#if defined(__clang__) && defined(__arm__) && defined(__ARM_NEON)
/* NEON of 32 bits makes 0 of tiny numbers, and clang uses it nevertheless. */
#pragma clang attribute push(__attribute__((target("no-neon"))), apply_to = function)
#define BIMETAL_NO_NEON
#endif

/* Every reading. */
static void p_every(p_state *s, const BIMETAL_FLASH p_params *p, const p_in *in, p_out *out)
{
    /* Scratch memory; what is not needed at the same time may share a place. */
    union {
        uint8_t b[5];
    } scratch;
    enum { row_1 = 0 };
    /* x0 to state ring */
    const bool x0_1 = in->x0 != 0;
    const int32_t ring_head_1 = s->ring_head;
    /* where to state ring_head */
    const int32_t value_1 = ring_head_1 + 1;
    const int32_t pick_1 = (value_1 == 4) ? 0 : value_1;
    /* gather[4] to scratch row_1 */
    for (int32_t i = 0; i < 4; i++) {
        const int32_t value_2 = i + ring_head_1;
        const int32_t pick_2 = (value_2 < 4) ? value_2 : value_2 - 4;
        scratch.b[row_1 + i] = (uint8_t)(s->ring[pick_2] != 0);
    }
    /* reshape to scratch row_1 */
    scratch.b[row_1 + 4] = (uint8_t)x0_1;
    /* le to out y0 */
    int32_t total_1 = 0;
    for (int32_t i = 0; i < 5; i++) {
        total_1 = total_1 + (int32_t)(scratch.b[row_1 + i] != 0);
    }
    out->y0 = (uint8_t)(3 <= total_1);
    /* what was computed from the old values is written now */
    s->ring[ring_head_1] = (uint8_t)x0_1;
    s->ring_head = pick_1;
    (void)p;
}

void p_init(p_state *s)
{
    memset(s, 0, sizeof *s);
}

uint32_t p_step(p_state *s, const BIMETAL_FLASH p_params *p, const p_in *in, p_out *out)
{
    uint32_t fired = 1u;
    p_every(s, p, in, out);
    return fired;
}

#if defined(BIMETAL_NO_NEON)
#pragma clang attribute pop
#endif
