/* p.c: detector, as emitted by bimetal. */
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

static inline float f32_min(float a, float b)
{
    return is_so(b < a) ? b : a;
}

static inline float f32_max(float a, float b)
{
    return is_so(a < b) ? b : a;
}

static inline int32_t i32_min(int32_t a, int32_t b)
{
    return b < a ? b : a;
}

static inline int32_t i32_max(int32_t a, int32_t b)
{
    return a < b ? b : a;
}

static inline int32_t f32_bits(float a)
{
    int32_t bits;
    memcpy(&bits, &a, sizeof bits);
    return bits;
}

static inline float f32_of_bits(int32_t bits)
{
    float a;
    memcpy(&a, &bits, sizeof a);
    return a;
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

/* C leaves >> of a negative number open; this keeps the sign, in one instruction. */
static inline int32_t i32_shr(int32_t a, int by)
{
    return a < 0 ? ~(~a >> by) : a >> by;
}

/* Division in software may round quotients below 2**-126 badly: they are computed anew. */
#if !defined(BIMETAL_SOFT_DIV) && (defined(__AVR__) || (defined(__clang__) \
    && ((defined(__arm__) && defined(__SOFTFP__)) || (defined(__riscv) && !defined(__riscv_flen)))))
#define BIMETAL_SOFT_DIV
#endif
#if !defined(BIMETAL_SOFT_DIV)
static inline float f32_div(float a, float b)
{
    return a / b;
}
#else
/* Take a positive number apart: a whole number of 24 bits, and its power of two. */
static uint32_t f32_part(uint32_t bits, int *power)
{
    uint32_t part = bits & UINT32_C(0x7fffff);
    *power = (int)(bits >> 23);
    if (*power != 0) {
        return part | UINT32_C(0x800000);
    }
    for (*power = 1; (part & UINT32_C(0x800000)) == 0; *power -= 1) {
        part <<= 1;
    }
    return part;
}

static float f32_div(float a, float b)
{
    float ratio = a / b;
    uint32_t over, under, bits, part, by;
    int power, under_power;
    memcpy(&over, &a, sizeof over);
    memcpy(&under, &b, sizeof under);
    bits = (over ^ under) & UINT32_C(0x80000000);
    over &= UINT32_C(0x7fffffff);
    under &= UINT32_C(0x7fffffff);
    if (over == 0 || under == 0 || over >= UINT32_C(0x7f800000) || under >= UINT32_C(0x7f800000)) {
        return ratio;
    }
    part = f32_part(over, &power);
    by = f32_part(under, &under_power);
    power += 149 - under_power;
    if (power > 23) {
        return ratio;
    }
    if (power < -1) {
        over = 0;
    } else if (power < 0) {
        over = part > by ? 1 : 0;
    } else {
        over = part >= by ? 1 : 0;
        part -= over * by;
        for (; power > 0; power--) {
            part <<= 1;
            over <<= 1;
            if (part >= by) {
                part -= by;
                over |= 1u;
            }
        }
        part <<= 1;
        over += part > by || (part == by && (over & 1u) != 0) ? 1u : 0u;
    }
    bits |= over;
    memcpy(&ratio, &bits, sizeof ratio);
    return ratio;
}
#endif

/* Add up the products of two rows, from left to right; where calls keep floats in registers, apart, so that the loop
 * has some to itself. */
#if defined(__AVR__)
/* Parameters lie in flash, where no pointer to other memory reaches. */
#define f32_dot(total, a, b, n) __extension__({ \
    float sum_ = (total); \
    for (int16_t k_ = 0; k_ < (n); k_++) { \
        sum_ = sum_ + (a)[k_] * (b)[k_]; \
    } \
    sum_; \
})
#else
#if defined(__GNUC__) && (defined(__arm__) || defined(__riscv))
__attribute__((noinline)) static
#elif defined(__GNUC__)
__attribute__((always_inline)) static inline
#else
static
#endif
float f32_dot(float total, const float *a, const float *b, int32_t n)
{
    for (; n >= 4; n -= 4, a += 4, b += 4) {
        total = total + a[0] * b[0];
        total = total + a[1] * b[1];
        total = total + a[2] * b[2];
        total = total + a[3] * b[3];
    }
    for (; n > 0; n--, a++, b++) {
        total = total + a[0] * b[0];
    }
    return total;
}
#endif

/* Count down to the next firing. */
static bool is_due(int32_t *wait, int32_t period)
{
    const bool due = *wait == 0;
    *wait = due ? period - 1 : (int32_t)((uint32_t)*wait - 1u);
    return due;
}

static const BIMETAL_FLASH uint8_t table1[4] = { 1, 2, 3, 4 };

static const BIMETAL_FLASH float table2[3] = { 3.0f, 6.0f, 9.0f };

static const BIMETAL_FLASH float table3[3] = { 0x1.8e38e4p-1f, 0x1.c71c72p-2f, 0x1.c71c72p-4f };

/* Every reading. */
static void p_every(p_state *s, const BIMETAL_FLASH p_params *p, const p_in *in, p_out *out)
{
    /* Scratch memory; what is not needed at the same time may share a place. */
    union {
        float f[40];
    } scratch;
    enum { each_1 = 20, pick_1 = 0, row_1 = 0, total_1 = 20 };
    /* stack */
    const float row_2 = in->x0;
    /* eq */
    const bool is_1 = row_2 == row_2;
    /* where to state last */
    const float last_1 = s->last;
    const float pick_2 = is_so(is_1) ? row_2 : last_1;
    /* where to state repeats */
    const int32_t repeats_1 = s->repeats;
    const int32_t pick_3 = is_1 ? ((row_2 == last_1) ? i32_min(16777216, repeats_1 + 1) : 1) :
        repeats_1;
    /* where to state silence */
    const int32_t pick_4 = !is_1 ? i32_min(16777216, s->silence + 1) : 0;
    /* not to state lost_before */
    const bool is_2 = !(row_2 == row_2);
    /* add */
    const float losses_1 = s->losses;
    const float value_1 = losses_1 + ((float)(int32_t)(is_2 && !(s->lost_before != 0)) - losses_1) *
        0x1.555556p-5f;
    /* min to state losses */
    const float least_1 = f32_min(1.0f, f32_max(0.0f, value_1));
    /* and */
    const bool is_3 = (p->sensor_low <= row_2) && (row_2 <= p->sensor_high);
    /* le */
    const bool is_4 = p->sensor_stuck_after <= pick_3;
    /* and */
    const bool is_5 = is_3 && !is_4;
    /* where */
    const int32_t pick_5 = (p->sensor_gone_after <= pick_4) ? 1 : ((is_1 && !is_3) ? 2 : (is_4 ? 3 :
        0));
    /* and */
    const bool is_6 = (is_5 || (pick_5 == 2)) && !is_2;
    /* cast */
    const int32_t value_2 = s->taken;
    /* le */
    const bool is_7 = 3 <= value_2;
    /* div */
    const float ratio_1 = f32_div(row_2 - p->usual_location, p->usual_scale);
    /* min */
    const float least_2 = f32_min(0x1.7d784p+26f, f32_max(-0x1.7d784p+26f, is_so(is_6) ? ratio_1 :
        0.0f));
    /* and */
    const float quality_jump_1 = p->quality_jump;
    const float one_1 = s->one;
    const float two_1 = s->two;
    const float three_1 = s->three;
    const bool is_8 = (is_6 && is_7) && (quality_jump_1 < f32_max(least_2 - f32_max(one_1,
        f32_max(two_1, three_1)), f32_min(one_1, f32_min(two_1, three_1)) - least_2));
    /* cast */
    const int32_t value_3 = s->wait;
    /* where */
    const int32_t pick_6 = is_8 ? i32_min(3, value_3 + 1) : (is_6 ? 0 : value_3);
    /* and */
    const bool is_9 = is_8 && (pick_6 == 3);
    /* cast to state wait */
    const uint8_t value_4 = (uint8_t)(is_9 ? 0 : pick_6);
    /* max */
    const float most_1 = f32_max(f32_min(one_1, two_1), f32_min(f32_max(one_1, two_1), three_1));
    /* where to state before */
    const float before_1 = s->before;
    const float pick_7 = is_so(is_9) ? most_1 : before_1;
    /* and */
    const bool is_10 = is_6 && !is_8;
    /* where to state one */
    const float pick_8 = is_so(is_9 || is_10) ? least_2 : one_1;
    /* where to state two */
    const float pick_9 = is_so(is_9) ? least_2 : (is_so(is_10) ? one_1 : two_1);
    /* where to state three */
    const float pick_10 = is_so(is_9) ? least_2 : (is_so(is_10) ? two_1 : three_1);
    /* cast to state taken */
    const uint8_t value_5 = (uint8_t)(is_10 ? i32_min(4, value_2 + 1) : value_2);
    /* and */
    const bool is_11 = is_8 && !is_9;
    /* where to state rough */
    const float rough_1 = s->rough;
    const float quality_rough_1 = p->quality_rough;
    const float value_6 = least_2 - one_1 * 2.0f + two_1;
    const float pick_11 = is_so(is_11) ? f32_min(0x1.dcd65p+29f, f32_max(0.0f, quality_rough_1 *
        2.0f)) : f32_min(0x1.dcd65p+29f, f32_max(0.0f, is_so(value_6 < 0.0f) ? (-value_6) :
        value_6));
    const float pick_12 = is_so(is_6 && is_7) ? f32_min(0x1.dcd65p+29f, f32_max(0.0f, rough_1 +
        (pick_11 - rough_1) * 0x1.e1e1e2p-4f)) : rough_1;
    /* where */
    const float value_7 = least_2 - most_1;
    const float pick_13 = is_so(is_9) ? (is_so(value_7 < 0.0f) ? (-value_7) : value_7) : s->stepped
        * 0x1.fae148p-1f;
    /* min to state stepped */
    const float least_3 = f32_min(0x1.dcd65p+29f, f32_max(0.0f, pick_13));
    /* where */
    const int32_t value_8 = s->unit_left;
    const int32_t pick_14 = is_9 ? 8 : (is_6 ? i32_max(0, value_8 - 1) : value_8);
    /* cast to state unit_left */
    const uint8_t value_9 = (uint8_t)pick_14;
    /* where */
    const float value_10 = least_2 - p->quality_centre;
    const bool is_12 = p->quality_reach < (is_so(value_10 < 0.0f) ? (-value_10) : value_10);
    const int32_t value_11 = s->unit;
    int32_t total_2 = -2147483647 - 1;
    const float pick_15 = is_so(is_9) ? most_1 : before_1;
    const float value_13 = pick_15 + p->quality_origin;
    const float value_14 = f32_min(quality_jump_1, (is_so(value_13 < 0.0f) ? (-value_13) : value_13)
        * 0.25f);
    for (int32_t i = 0; i < 4; i++) {
        const float value_12 = least_2 * p->quality_factor[i] + p->quality_shift[i] - pick_15;
        total_2 = i32_max(total_2, ((is_so(value_12 < 0.0f) ? (-value_12) : value_12) <= value_14) ?
            (int32_t)table1[i] : 0);
    }
    const int32_t pick_16 = (is_6 && !is_12) ? 0 : ((((is_12 && is_6) && (0 < pick_14)) && (value_11
        == 0)) ? total_2 : value_11);
    /* cast to state unit */
    const uint8_t value_15 = (uint8_t)pick_16;
    /* lt */
    const bool is_13 = 0 < pick_16;
    /* and */
    const bool is_14 = is_13 && (p->quality_unit_known != 0);
    /* and */
    const bool is_15 = is_6 && !is_14;
    /* where */
    const int32_t value_16 = s->levels_seen;
    const int32_t pick_17 = is_15 ? i32_min(255, value_16 + 1) : value_16;
    /* cast to state levels_seen */
    const uint8_t value_17 = (uint8_t)pick_17;
    /* min to state fast */
    const float fast_1 = s->fast;
    const float most_2 = f32_max(-0x1.7d784p+26f, is_so(is_15) ? fast_1 + f32_max(0x1.c71c72p-3f,
        f32_div(1.0f, f32_max(1.0f, (float)pick_17))) * (least_2 - fast_1) : fast_1);
    const float least_4 = f32_min(0x1.7d784p+26f, most_2);
    /* min to state slow */
    const float slow_1 = s->slow;
    const float most_3 = f32_max(-0x1.7d784p+26f, is_so(is_15) ? slow_1 + f32_max(0x1.f81f82p-6f,
        f32_div(1.0f, f32_max(1.0f, (float)pick_17))) * (least_2 - slow_1) : slow_1);
    const float least_5 = f32_min(0x1.7d784p+26f, most_3);
    /* where */
    const float quality_middle_1 = p->quality_middle;
    const float value_18 = least_4 - quality_middle_1;
    const float pick_18 = is_so(value_18 < 0.0f) ? (-value_18) : value_18;
    /* lt to state fast_out */
    const float quality_fast_1 = p->quality_fast;
    const bool is_16 = (is_so(s->fast_out != 0) ? quality_fast_1 * 0x1.666666p-1f : quality_fast_1)
        < pick_18;
    /* lt to state slow_out */
    const float quality_slow_1 = p->quality_slow;
    const float value_19 = least_5 - quality_middle_1;
    const bool is_17 = (is_so(s->slow_out != 0) ? quality_slow_1 * 0x1.666666p-1f : quality_slow_1)
        < (is_so(value_19 < 0.0f) ? (-value_19) : value_19);
    /* min to state between */
    const float between_1 = s->between;
    const float most_4 = f32_max(-0x1.7d784p+26f, is_so(is_15) ? between_1 + f32_max(0x1.47ae14p-4f,
        f32_div(1.0f, f32_max(1.0f, (float)pick_17))) * (least_2 - between_1) : between_1);
    const float least_6 = f32_min(0x1.7d784p+26f, most_4);
    /* max */
    const float value_20 = least_4 - least_6;
    const float most_5 = f32_max(is_so(value_20 < 0.0f) ? (-value_20) : value_20, s->apart *
        0x1.e147aep-1f);
    /* min to state apart */
    const float least_7 = f32_min(0x1.dcd65p+29f, f32_max(0.0f, most_5));
    /* where */
    const int32_t value_21 = s->shape;
    const int32_t pick_19 = (((is_16 || is_17) && is_15) && (16 <= pick_17)) ? ((0 < value_21) ?
        value_21 : (((pick_18 * 0.5f <= pick_13) || (pick_18 * 0.5f <= most_5)) ? 7 : 8)) : 0;
    /* cast to state shape */
    const uint8_t value_22 = (uint8_t)pick_19;
    /* lt to state noisy */
    const bool is_18 = (is_so(s->noisy != 0) ? quality_rough_1 * 0x1.666666p-1f : quality_rough_1) <
        pick_12;
    /* and to state last_usable */
    const bool is_19 = is_5 && is_15;
    /* where */
    const int32_t pick_20 = !is_19 ? i32_min(32, (int32_t)s->lost + 1) : 0;
    /* cast to state lost */
    const uint8_t value_23 = (uint8_t)pick_20;
    /* where */
    const int32_t value_24 = s->seen;
    const int32_t pick_21 = is_19 ? i32_min(255, value_24 + 1) : ((pick_20 == 32) ? 0 : value_24);
    /* cast to state seen */
    const uint8_t value_25 = (uint8_t)pick_21;
    /* where */
    const float pick_22 = is_so(is_19) ? f32_min(20.0f, f32_max(-20.0f, ratio_1)) : 0.0f;
    /* where to state last_value */
    const float last_value_1 = s->last_value;
    const float pick_23 = is_so(is_19) ? pick_22 : last_value_1;
    /* div */
    const float ratio_2 = f32_div(1.0f, f32_max(1.0f, (float)pick_21));
    /* max */
    const float most_6 = f32_max(0x1.c71c72p-3f, ratio_2);
    /* where to state level, scratch row_1 */
    const float level_1 = s->level[0];
    const float pick_24 = is_so(is_19) ? f32_min(20.0f, f32_max(-20.0f, level_1 + most_6 * (pick_22
        - level_1))) : level_1;
    scratch.f[row_1] = pick_24;
    /* max */
    const float most_7 = f32_max(0x1.e1e1e2p-4f, ratio_2);
    /* where to state level, scratch row_1 */
    const float level_2 = s->level[1];
    const float pick_25 = is_so(is_19) ? f32_min(20.0f, f32_max(-20.0f, level_2 + most_7 * (pick_24
        - level_2))) : level_2;
    scratch.f[row_1 + 1] = pick_25;
    /* max */
    const float most_8 = f32_max(0x1.f07c2p-5f, ratio_2);
    /* where to state level, scratch row_1 */
    const float level_3 = s->level[2];
    const float pick_26 = is_so(is_19) ? f32_min(20.0f, f32_max(-20.0f, level_3 + most_8 * (pick_25
        - level_3))) : level_3;
    scratch.f[row_1 + 2] = pick_26;
    /* max */
    const float most_9 = f32_max(0x1.f81f82p-6f, ratio_2);
    /* where to state level, scratch row_1 */
    const float level_4 = s->level[3];
    const float pick_27 = is_so(is_19) ? f32_min(20.0f, f32_max(-20.0f, level_4 + most_9 * (pick_26
        - level_4))) : level_4;
    scratch.f[row_1 + 3] = pick_27;
    /* max */
    const float most_10 = f32_max(0x1.fc07fp-7f, ratio_2);
    /* where to state level, scratch row_1 */
    const float level_5 = s->level[4];
    const float pick_28 = is_so(is_19) ? f32_min(20.0f, f32_max(-20.0f, level_5 + most_10 * (pick_27
        - level_5))) : level_5;
    scratch.f[row_1 + 4] = pick_28;
    /* where to state power, scratch row_1 */
    const float power_1 = s->power[0];
    const float pick_29 = is_so(is_19) ? f32_min(400.0f, f32_max(0.0f, power_1 + most_6 * (pick_22 *
        pick_22 - power_1))) : power_1;
    scratch.f[row_1 + 5] = pick_29;
    /* where to state power, scratch row_1 */
    const float power_2 = s->power[1];
    const float pick_30 = is_so(is_19) ? f32_min(400.0f, f32_max(0.0f, power_2 + most_7 * (pick_29 -
        power_2))) : power_2;
    scratch.f[row_1 + 6] = pick_30;
    /* where to state power, scratch row_1 */
    const float power_3 = s->power[2];
    const float pick_31 = is_so(is_19) ? f32_min(400.0f, f32_max(0.0f, power_3 + most_8 * (pick_30 -
        power_3))) : power_3;
    scratch.f[row_1 + 7] = pick_31;
    /* where to state power, scratch row_1 */
    const float power_4 = s->power[3];
    const float pick_32 = is_so(is_19) ? f32_min(400.0f, f32_max(0.0f, power_4 + most_9 * (pick_31 -
        power_4))) : power_4;
    scratch.f[row_1 + 8] = pick_32;
    /* where to state power, scratch row_1 */
    const float power_5 = s->power[4];
    const float pick_33 = is_so(is_19) ? f32_min(400.0f, f32_max(0.0f, power_5 + most_10 * (pick_32
        - power_5))) : power_5;
    scratch.f[row_1 + 9] = pick_33;
    /* where to state spread, scratch row_1 */
    const float spread_1 = s->spread[0];
    const float value_26 = pick_22 - pick_24;
    const float pick_34 = is_so(is_19) ? f32_min(1600.0f, f32_max(0.0f, spread_1 + most_6 *
        (value_26 * value_26 - spread_1))) : spread_1;
    scratch.f[row_1 + 10] = pick_34;
    /* where to state spread, scratch row_1 */
    const float spread_2 = s->spread[1];
    const float pick_35 = is_so(is_19) ? f32_min(1600.0f, f32_max(0.0f, spread_2 + most_7 * (pick_34
        - spread_2))) : spread_2;
    scratch.f[row_1 + 11] = pick_35;
    /* where to state spread, scratch row_1 */
    const float spread_3 = s->spread[2];
    const float pick_36 = is_so(is_19) ? f32_min(1600.0f, f32_max(0.0f, spread_3 + most_8 * (pick_35
        - spread_3))) : spread_3;
    scratch.f[row_1 + 12] = pick_36;
    /* where to state spread, scratch row_1 */
    const float spread_4 = s->spread[3];
    const float pick_37 = is_so(is_19) ? f32_min(1600.0f, f32_max(0.0f, spread_4 + most_9 * (pick_36
        - spread_4))) : spread_4;
    scratch.f[row_1 + 13] = pick_37;
    /* where to state spread, scratch row_1 */
    const float spread_5 = s->spread[4];
    const float pick_38 = is_so(is_19) ? f32_min(1600.0f, f32_max(0.0f, spread_5 + most_10 *
        (pick_37 - spread_5))) : spread_5;
    scratch.f[row_1 + 14] = pick_38;
    /* and */
    const bool is_20 = is_19 && (s->last_usable != 0);
    /* where to state roughness, scratch row_1 */
    const float roughness_1 = s->roughness[0];
    const float value_27 = pick_22 - last_value_1;
    const float pick_39 = is_so(is_20) ? f32_min(40.0f, f32_max(0.0f, roughness_1 + most_6 *
        ((is_so(value_27 < 0.0f) ? (-value_27) : value_27) - roughness_1))) : roughness_1;
    scratch.f[row_1 + 15] = pick_39;
    /* where to state roughness, scratch row_1 */
    const float roughness_2 = s->roughness[1];
    const float pick_40 = is_so(is_20) ? f32_min(40.0f, f32_max(0.0f, roughness_2 + most_7 *
        (pick_39 - roughness_2))) : roughness_2;
    scratch.f[row_1 + 16] = pick_40;
    /* where to state roughness, scratch row_1 */
    const float roughness_3 = s->roughness[2];
    const float pick_41 = is_so(is_20) ? f32_min(40.0f, f32_max(0.0f, roughness_3 + most_8 *
        (pick_40 - roughness_3))) : roughness_3;
    scratch.f[row_1 + 17] = pick_41;
    /* where to state roughness, scratch row_1 */
    const float roughness_4 = s->roughness[3];
    const float pick_42 = is_so(is_20) ? f32_min(40.0f, f32_max(0.0f, roughness_4 + most_9 *
        (pick_41 - roughness_4))) : roughness_4;
    scratch.f[row_1 + 18] = pick_42;
    /* where to state roughness, scratch row_1 */
    const float roughness_5 = s->roughness[4];
    const float pick_43 = is_so(is_20) ? f32_min(40.0f, f32_max(0.0f, roughness_5 + most_10 *
        (pick_42 - roughness_5))) : roughness_5;
    scratch.f[row_1 + 19] = pick_43;
    /* le */
    const bool is_21 = 48 <= pick_21;
    /* min */
    const int32_t least_8 = i32_min(128, pick_21);
    /* and */
    const int32_t value_28 = i32_max(48, least_8 - 16);
    const bool is_22 = is_19 && (value_28 <= pick_21);
    /* each to scratch each_1 */
    for (int32_t i = 0; i < 1; i++) {
        /* gather[20] to scratch each_1 */
        for (int32_t j = 0; j < 20; j++) {
            scratch.f[each_1 + 20 * i + j] = scratch.f[row_1 + j];
        }
    }
    /* where[1, 20] to scratch pick_1 */
    for (int32_t i = 0; i < 20; i++) {
        const float drift_1 = s->drift[i];
        const float pick_44 = is_so(is_22) ? f32_min(30000.0f, f32_max(-30000.0f, scratch.f[each_1 +
            i] - p->own_centre[i] - drift_1)) : 0.0f;
        scratch.f[pick_1 + i] = pick_44;
    }
    /* reduce[1, 20] to scratch total_1 */
    for (int32_t i = 0; i < 20; i++) {
        float total_3 = -0.0f;
        total_3 = f32_dot(total_3, &p->own_whiten[20 * i], &scratch.f[pick_1], 20);
        scratch.f[total_1 + i] = total_3;
    }
    /* mul */
    float total_4 = -0.0f;
    for (int32_t i = 0; i < 20; i++) {
        const float total_5 = scratch.f[total_1 + i];
        const float ratio_3 = s->ratio[i];
        total_4 = total_4 + total_5 * f32_div(total_5, ratio_3);
    }
    const float product_2 = f32_min(0x1.1c3794p+53f, f32_max(0.0f, total_4)) * 1.0f * p->own_gain;
    /* where to state mean_distance */
    const float mean_distance_1 = s->mean_distance;
    const float own_pace_1 = p->own_pace;
    const float pick_46 = is_so(is_21) ? f32_min(0x1.e848p+19f, f32_max(0x1.0624dep-10f,
        mean_distance_1 + own_pace_1 * (f32_min(mean_distance_1 * 5.0f, product_2) -
        mean_distance_1))) : mean_distance_1;
    /* reshape */
    const float product_3 = mean_distance_1 * 3.0f;
    const float value_29 = is_so(is_21) ? own_pace_1 * (is_so(product_2 <= product_3) ? 1.0f :
        f32_div(product_3, f32_max(0x1.0c6f7ap-20f, product_2))) : 0.0f;
    /* min[1, 20] to state drift */
    for (int32_t i = 0; i < 20; i++) {
        const float drift_2 = s->drift[i];
        const float pick_47 = scratch.f[pick_1 + i];
        s->drift[i] = f32_min(10000.0f, f32_max(-10000.0f, drift_2 + value_29 * pick_47));
    }
    /* where[1, 20] to state ratio */
    for (int32_t i = 0; i < 20; i++) {
        const float ratio_4 = s->ratio[i];
        const float total_6 = scratch.f[total_1 + i];
        const float pick_48 = is_so(is_22) ? f32_min(0x1.e848p+19f, f32_max(0.25f, ratio_4 +
            value_29 * (total_6 * total_6 + p->own_short[i] - ratio_4))) : ratio_4;
        s->ratio[i] = pick_48;
    }
    /* mul */
    const int32_t value_30 = f32_bits(f32_min(0x1.fffffep+127f, f32_max(0x1p-126f,
        f32_min(0x1.1c3794p+53f, f32_max(1.0f, product_2 + 1.0f)))));
    const int32_t value_31 = value_30 & 8388607;
    const bool is_23 = 3474675 < value_31;
    const float value_32 = f32_of_bits((value_30 & 8388607) | 1065353216);
    const float pick_49 = is_so(is_23) ? value_32 * 0.5f : value_32;
    const float ratio_5 = f32_div(pick_49 - 1.0f, pick_49 + 1.0f);
    const float product_4 = ratio_5 * ratio_5;
    const float product_5 = ratio_5 * ((((0x1.484b14p-2f * product_4 + 0x1.a61762p-2f) * product_4 +
        0x1.2776c6p-1f) * product_4 + 0x1.ec709ep-1f) * product_4 + 0x1.715476p+1f);
    const float product_6 = ((float)(i32_shr(value_30, 23) - 127 + (int32_t)is_23) + product_5) *
        0x1.62e43p-1f * 1.0f;
    /* where to out score */
    const float pick_50 = is_so(is_21) ? f32_div(product_6, p->threshold) * ((float)least_8 *
        0x1p-7f) : 0.0f;
    out->score = pick_50;
    /* where */
    const int32_t value_33 = (int32_t)is_11;
    const float pick_51 = is_so(0 < value_33) ? f32_min(0x1.ff8p-1f, pick_50) : pick_50;
    /* le */
    const bool is_24 = 1.0f <= pick_51;
    /* where */
    const int32_t pick_52 = is_24 ? 1 : 0;
    /* cast to state over */
    const uint8_t value_34 = (uint8_t)pick_52;
    /* lt */
    const int32_t trouble_left_1 = s->trouble_left;
    const bool is_25 = 0 < trouble_left_1;
    /* or */
    const bool is_26 = (is_25 && (0x1.99999ap-1f <= pick_51)) || (is_24 && (pick_52 == 1));
    /* where to state trouble_left */
    const int32_t pick_53 = is_26 ? 16 : i32_max(0, trouble_left_1 - 1);
    /* min */
    const float least_9 = f32_min(8.0f, f32_max(0.0f, s->tokens + p->alarm_refill));
    /* and */
    const bool is_27 = is_26 && !is_25;
    /* le */
    const bool is_28 = 1.0f <= least_9;
    /* and */
    const bool told_1 = s->told != 0;
    const bool is_29 = (is_27 || (is_24 && (is_25 && !told_1))) && is_28;
    /* min to state tokens */
    const float least_10 = f32_min(8.0f, f32_max(0.0f, least_9 - (float)(int32_t)is_29));
    /* or to state told */
    const bool is_30 = is_29 || (told_1 && !is_27);
    /* where to state held_back, out held_back */
    const int32_t held_back_1 = s->held_back;
    const int32_t pick_54 = (is_27 && !is_28) ? i32_min(65536, held_back_1 + 1) : held_back_1;
    out->held_back = pick_54;
    /* mul to out share */
    const float least_11 = f32_min(0x1.93e594p+99f, f32_max(0.0f, product_6));
    const float product_7 = f32_div(least_11, f32_max(0x1p-100f, least_11)) * 0x1.ffff8p-1f;
    out->share = product_7;
    /* where to out lasting */
    const int32_t pick_55 = (p->mostly <= product_7 * pick_50) ? i32_min(32767, (int32_t)s->lasting
        + 1) : 0;
    out->lasting = pick_55;
    /* cast to state lasting */
    const int16_t value_35 = (int16_t)pick_55;
    /* or */
    const int32_t place_1 = s->place;
    const bool is_31 = (place_1 == 0) || (place_1 == 256);
    /* where to state place */
    const int32_t pick_56 = is_31 ? 1 : i32_min(256, place_1 + 1);
    /* where to state top */
    const float pick_57 = is_so(pick_50 == pick_50) ? pick_50 : 0.0f;
    const float pick_58 = is_so(is_31) ? pick_57 : f32_max(s->top, pick_57);
    /* and to out alarm */
    out->alarm = (uint8_t)(is_30 && (0 < pick_53));
    /* where to out fault */
    const int32_t pick_59 = is_14 ? 9 : ((p->quality_broken < value_1) ? 5 : (((is_6 && !is_8) && (0
        < value_3)) ? 4 : 0));
    out->fault = (((pick_5 == 0) || (pick_5 == 2)) && (0 < pick_59)) ? pick_59 : pick_5;
    /* where to out looks */
    out->looks = is_13 ? 9 : (is_18 ? 6 : pick_19);
    /* what was computed from the old values is written now */
    s->last = f32_canonical(pick_2);
    s->repeats = pick_3;
    s->silence = pick_4;
    s->lost_before = (uint8_t)is_2;
    s->losses = least_1;
    s->wait = value_4;
    s->before = pick_7;
    s->one = pick_8;
    s->two = pick_9;
    s->three = pick_10;
    s->taken = value_5;
    s->rough = pick_12;
    s->stepped = least_3;
    s->unit_left = value_9;
    s->unit = value_15;
    s->levels_seen = value_17;
    s->fast = least_4;
    s->slow = least_5;
    s->fast_out = (uint8_t)is_16;
    s->slow_out = (uint8_t)is_17;
    s->between = least_6;
    s->apart = least_7;
    s->shape = value_22;
    s->noisy = (uint8_t)is_18;
    s->last_usable = (uint8_t)is_19;
    s->lost = value_23;
    s->seen = value_25;
    s->last_value = pick_23;
    s->level[0] = pick_24;
    s->level[1] = pick_25;
    s->level[2] = pick_26;
    s->level[3] = pick_27;
    s->level[4] = pick_28;
    s->power[0] = pick_29;
    s->power[1] = pick_30;
    s->power[2] = pick_31;
    s->power[3] = pick_32;
    s->power[4] = pick_33;
    s->spread[0] = pick_34;
    s->spread[1] = pick_35;
    s->spread[2] = pick_36;
    s->spread[3] = pick_37;
    s->spread[4] = pick_38;
    s->roughness[0] = pick_39;
    s->roughness[1] = pick_40;
    s->roughness[2] = pick_41;
    s->roughness[3] = pick_42;
    s->roughness[4] = pick_43;
    s->mean_distance = pick_46;
    s->over = value_34;
    s->trouble_left = pick_53;
    s->tokens = least_10;
    s->told = (uint8_t)is_30;
    s->held_back = pick_54;
    s->lasting = value_35;
    s->place = pick_56;
    s->top = pick_58;
}

/* Every 256 readings, first at reading 255. */
static void p_stage_256_255(p_state *s, const BIMETAL_FLASH p_params *p, const p_in *in, p_out *out)
{
    /* le */
    const bool is_1 = p->drift_level <= s->top;
    /* min */
    const float drift_patience_1 = p->drift_patience;
    const float least_2 = f32_min(0x1.dcd65p+31f, drift_patience_1 * 4.0f);
    /* le to out drift */
    float total_1 = -0.0f;
    /* min[3] to state winnings, scratch least_1 */
    for (int32_t i = 0; i < 3; i++) {
        const float least_3 = f32_min((s->winnings[i] + 1.0f) * (is_so(is_1) ? table2[i] :
            table3[i]), least_2);
        s->winnings[i] = least_3;
        total_1 = total_1 + least_3;
    }
    out->drift = (uint8_t)(drift_patience_1 <= total_1 * 0x1.555556p-2f);
    (void)in;
}

void p_init(p_state *s)
{
    memset(s, 0, sizeof *s);
    s->last = f32_of_bits(INT32_C(0x7fc00000));
    for (int32_t i = 0; i < 20; i++) {
        s->ratio[i] = 1.0f;
    }
    s->mean_distance = 1.0f;
    s->tokens = 8.0f;
    s->wait_256_255 = 255;
}

uint32_t p_step(p_state *s, const BIMETAL_FLASH p_params *p, const p_in *in, p_out *out)
{
    uint32_t fired = 1u;
    p_every(s, p, in, out);
    if (is_due(&s->wait_256_255, 256)) {
        p_stage_256_255(s, p, in, out);
        fired |= UINT32_C(2);
    } else {
        memset(&out->drift, 0, sizeof out->drift);
    }
    return fired;
}

#if defined(BIMETAL_NO_NEON)
#pragma clang attribute pop
#endif
