/* p.c: Window, as emitted by bimetal. */
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

/* Count down to the next firing. */
static bool is_due(int32_t *wait, int32_t period)
{
    const bool due = *wait == 0;
    *wait = due ? period - 1 : (int32_t)((uint32_t)*wait - 1u);
    return due;
}

/* Every reading. */
static void p_every(p_state *s, const BIMETAL_FLASH p_params *p, const p_in *in, p_out *out)
{
    /* x0[2] to state window */
    const int32_t window_head_1 = s->window_head;
    for (int32_t i = 0; i < 2; i++) {
        s->window[i + 2 * window_head_1] = in->x0[i];
    }
    /* where to state window_head */
    const int32_t value_1 = window_head_1 + 1;
    const int32_t pick_1 = (value_1 == 4) ? 0 : value_1;
    /* what was computed from the old values is written now */
    s->window_head = pick_1;
    (void)p;
    (void)out;
}

/* Every 2 readings, first at reading 3. */
static void p_stage_2_3(p_state *s, const BIMETAL_FLASH p_params *p, const p_in *in, p_out *out)
{
    /* gather[4, 2] to out y0 */
    const int32_t window_head_1 = s->window_head;
    for (int32_t i = 0; i < 4; i++) {
        const int32_t value_1 = i + window_head_1;
        const int32_t pick_1 = (value_1 < 4) ? value_1 : value_1 - 4;
        for (int32_t j = 0; j < 2; j++) {
            out->y0[2 * i + j] = s->window[j + 2 * pick_1];
        }
    }
    (void)p;
    (void)in;
}

void p_init(p_state *s)
{
    memset(s, 0, sizeof *s);
    s->wait_2_3 = 3;
}

uint32_t p_step(p_state *s, const BIMETAL_FLASH p_params *p, const p_in *in, p_out *out)
{
    uint32_t fired = 1u;
    p_every(s, p, in, out);
    if (is_due(&s->wait_2_3, 2)) {
        p_stage_2_3(s, p, in, out);
        fired |= UINT32_C(2);
    } else {
        memset(out->y0, 0, sizeof out->y0);
    }
    return fired;
}

#if defined(BIMETAL_NO_NEON)
#pragma clang attribute pop
#endif
