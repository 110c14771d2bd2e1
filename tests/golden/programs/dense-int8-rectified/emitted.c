/* p.c: DenseInt8, as emitted by bimetal. */
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

static inline int32_t i32_min(int32_t a, int32_t b)
{
    return b < a ? b : a;
}

static inline int32_t i32_max(int32_t a, int32_t b)
{
    return a < b ? b : a;
}

static inline int32_t i32_mulshr(int32_t a, int32_t b, int by)
{
    const int64_t wide = (int64_t)a * b + ((int64_t)1 << (by - 1));
    return (int32_t)(wide < 0 ? ~(~wide >> by) : wide >> by);
}

/* Every reading. */
static void p_every(p_state *s, const BIMETAL_FLASH p_params *p, const p_in *in, p_out *out)
{
    /* cast[2] to out y0 */
    for (int32_t i = 0; i < 2; i++) {
        int32_t total_1 = 0;
        for (int32_t j = 0; j < 3; j++) {
            total_1 = total_1 + (int32_t)p->dense_int8_weights[4 * i + j] * (int32_t)in->x0[j];
        }
        out->y0[i] = (int8_t)i32_min(127, i32_max(0, i32_mulshr(total_1 + p->dense_int8_bias[i],
            p->dense_int8_multiplier[i], 22)));
    }
    (void)s;
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
