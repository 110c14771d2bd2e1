/* p.c: Biquad, as emitted by bimetal. */
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

/* Clang makes a minimum of a choice, in which -0 and 0 are the same: hide the choice. */
static inline bool is_so(bool yes)
{
#if defined(__clang__) && !defined(__SSE2__) && !defined(__wasm__)
    int hidden = yes;
    __asm__("" : "+r"(hidden));
    return hidden != 0;
#else
    return yes;
#endif
}

/* Machines give NaN different bits: what is kept or put out has the same ones. */
static inline float f32_canonical(float a)
{
    uint32_t bits;
    memcpy(&bits, &a, sizeof bits);
    if ((bits & UINT32_C(0x7fffffff)) > UINT32_C(0x7f800000)) {
        bits = UINT32_C(0x7fc00000);
    }
    memcpy(&a, &bits, sizeof a);
    return a;
}

/* Every reading. */
static void p_every(p_state *s, const BIMETAL_FLASH p_params *p, const p_in *in, p_out *out)
{
    /* where to state held */
    const float x0_1 = in->x0;
    const float pick_1 = is_so(x0_1 == x0_1) ? x0_1 : s->held;
    /* add to out y0 */
    const float biquad_coefficients_1 = p->biquad_coefficients[0];
    const float value_1 = biquad_coefficients_1 * pick_1 + s->first;
    out->y0 = f32_canonical(value_1);
    /* add to state first */
    const float biquad_coefficients_2 = p->biquad_coefficients[1];
    const float biquad_coefficients_3 = p->biquad_coefficients[3];
    const float value_2 = biquad_coefficients_2 * pick_1 - biquad_coefficients_3 * value_1 +
        s->second;
    /* sub to state second */
    const float biquad_coefficients_4 = p->biquad_coefficients[2];
    const float biquad_coefficients_5 = p->biquad_coefficients[4];
    const float value_3 = biquad_coefficients_4 * pick_1 - biquad_coefficients_5 * value_1;
    /* what was computed from the old values is written now */
    s->held = pick_1;
    s->first = f32_canonical(value_2);
    s->second = f32_canonical(value_3);
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
