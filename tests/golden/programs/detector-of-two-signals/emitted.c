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
        uint8_t b[362];
        float f[155];
        int32_t i[82];
    } scratch;
    enum { each_1 = 91, is_1 = 352, is_2 = 352, is_3 = 354, least_1 = 42, least_2 = 80, least_3 =
        42, pick_1 = 149, pick_10 = 0, pick_11 = 48, pick_12 = 50, pick_13 = 52, pick_14 = 54,
        pick_15 = 56, pick_16 = 58, pick_17 = 60, pick_18 = 62, pick_19 = 64, pick_2 = 42, pick_20 =
        66, pick_21 = 68, pick_22 = 70, pick_23 = 72, pick_24 = 74, pick_25 = 76, pick_26 = 78,
        pick_3 = 44, pick_4 = 2, pick_5 = 80, pick_7 = 82, pick_8 = 84, pick_9 = 86, product_1 = 46,
        product_2 = 131, ratio_1 = 137, ratio_2 = 152, ratio_3 = 131, row_1 = 42, row_2 = 356, row_3
        = 2, row_4 = 0, total_1 = 143, total_2 = 137, total_3 = 91 };
    /* x0 to scratch row_4 */
    scratch.f[row_4] = in->x0;
    /* x1 to scratch row_4 */
    scratch.f[row_4 + 1] = in->x1;
    /* lt */
    const int32_t trouble_left_1 = s->trouble_left;
    const bool is_4 = 0 < trouble_left_1;
    /* min */
    const float least_4 = f32_min(8.0f, f32_max(0.0f, s->tokens + p->alarm_refill));
    /* le */
    const bool is_5 = 1.0f <= least_4;
    /* or */
    const int32_t place_1 = s->place;
    const bool is_6 = (place_1 == 0) || (place_1 == 256);
    /* where to state place */
    const int32_t pick_6 = is_6 ? 1 : i32_min(256, place_1 + 1);
    /* where, where, where, not, min, cast, where, where, where, where, cast, and, wher */
    for (int32_t i = 0; i < 2; i++) {
        const float row_5 = scratch.f[row_4 + i];
        const bool is_7 = row_5 == row_5;
        const float last_1 = s->last[i];
        const float pick_27 = is_so(is_7) ? row_5 : last_1;
        const int32_t repeats_1 = s->repeats[i];
        const int32_t pick_28 = is_7 ? ((row_5 == last_1) ? i32_min(16777216, repeats_1 + 1) : 1) :
            repeats_1;
        const int32_t pick_29 = !is_7 ? i32_min(16777216, s->silence[i] + 1) : 0;
        const bool is_8 = !(row_5 == row_5);
        const float losses_1 = s->losses[i];
        const float value_1 = losses_1 + ((float)(int32_t)(is_8 && !(s->lost_before[i] != 0)) -
            losses_1) * 0x1.555556p-5f;
        const float least_5 = f32_min(1.0f, f32_max(0.0f, value_1));
        const bool is_9 = (p->sensor_low[i] <= row_5) && (row_5 <= p->sensor_high[i]);
        const bool is_10 = p->sensor_stuck_after[i] <= pick_28;
        const bool is_11 = is_9 && !is_10;
        const int32_t pick_30 = (p->sensor_gone_after[i] <= pick_29) ? 1 : ((is_7 && !is_9) ? 2 :
            (is_10 ? 3 : 0));
        const bool is_12 = (is_11 || (pick_30 == 2)) && !is_8;
        const int32_t value_2 = s->taken[i];
        const bool is_13 = 3 <= value_2;
        const float quality_jump_1 = p->quality_jump[i];
        const float ratio_4 = f32_div(row_5 - p->usual_location[i], p->usual_scale[i]);
        const float least_6 = f32_min(0x1.7d784p+26f, f32_max(-0x1.7d784p+26f, is_so(is_12) ?
            ratio_4 : 0.0f));
        const float one_1 = s->one[i];
        const float two_1 = s->two[i];
        const float three_1 = s->three[i];
        const bool is_14 = (is_12 && is_13) && (quality_jump_1 < f32_max(least_6 - f32_max(one_1,
            f32_max(two_1, three_1)), f32_min(one_1, f32_min(two_1, three_1)) - least_6));
        const int32_t value_3 = s->wait[i];
        const int32_t pick_31 = is_14 ? i32_min(3, value_3 + 1) : (is_12 ? 0 : value_3);
        const bool is_15 = is_14 && (pick_31 == 3);
        const uint8_t value_4 = (uint8_t)(is_15 ? 0 : pick_31);
        const float most_1 = f32_max(f32_min(one_1, two_1), f32_min(f32_max(one_1, two_1),
            three_1));
        const float before_1 = s->before[i];
        const float pick_32 = is_so(is_15) ? most_1 : before_1;
        const bool is_16 = is_12 && !is_14;
        const float pick_33 = is_so(is_15 || is_16) ? least_6 : one_1;
        const float pick_34 = is_so(is_15) ? least_6 : (is_so(is_16) ? one_1 : two_1);
        const float pick_35 = is_so(is_15) ? least_6 : (is_so(is_16) ? two_1 : three_1);
        const uint8_t value_5 = (uint8_t)(is_16 ? i32_min(4, value_2 + 1) : value_2);
        const bool is_17 = is_14 && !is_15;
        const float rough_1 = s->rough[i];
        const float quality_rough_1 = p->quality_rough[i];
        const float value_6 = least_6 - one_1 * 2.0f + two_1;
        const float pick_36 = is_so(is_17) ? f32_min(0x1.dcd65p+29f, f32_max(0.0f, quality_rough_1 *
            2.0f)) : f32_min(0x1.dcd65p+29f, f32_max(0.0f, is_so(value_6 < 0.0f) ? (-value_6) :
            value_6));
        const float pick_37 = is_so(is_12 && is_13) ? f32_min(0x1.dcd65p+29f, f32_max(0.0f, rough_1
            + (pick_36 - rough_1) * 0x1.e1e1e2p-4f)) : rough_1;
        const float value_7 = least_6 - most_1;
        const float pick_38 = is_so(is_15) ? (is_so(value_7 < 0.0f) ? (-value_7) : value_7) :
            s->stepped[i] * 0x1.fae148p-1f;
        const float least_7 = f32_min(0x1.dcd65p+29f, f32_max(0.0f, pick_38));
        const int32_t value_8 = s->unit_left[i];
        const int32_t pick_39 = is_15 ? 8 : (is_12 ? i32_max(0, value_8 - 1) : value_8);
        const uint8_t value_9 = (uint8_t)pick_39;
        const float value_10 = least_6 - p->quality_centre[i];
        const bool is_18 = p->quality_reach[i] < (is_so(value_10 < 0.0f) ? (-value_10) : value_10);
        const int32_t value_11 = s->unit[i];
        int32_t total_4 = -2147483647 - 1;
        const float pick_40 = is_so(is_15) ? most_1 : before_1;
        const float value_13 = pick_40 + p->quality_origin[i];
        const float value_14 = f32_min(quality_jump_1, (is_so(value_13 < 0.0f) ? (-value_13) :
            value_13) * 0.25f);
        for (int32_t j = 0; j < 4; j++) {
            const float value_12 = least_6 * p->quality_factor[i + 2 * j] + p->quality_shift[i + 2 *
                j] - pick_40;
            total_4 = i32_max(total_4, ((is_so(value_12 < 0.0f) ? (-value_12) : value_12) <=
                value_14) ? (int32_t)table1[j] : 0);
        }
        const int32_t pick_41 = (is_12 && !is_18) ? 0 : ((((is_18 && is_12) && (0 < pick_39)) &&
            (value_11 == 0)) ? total_4 : value_11);
        const uint8_t value_15 = (uint8_t)pick_41;
        const bool is_19 = 0 < pick_41;
        const bool is_20 = is_19 && (p->quality_unit_known[i] != 0);
        const bool is_21 = is_12 && !is_20;
        const int32_t value_16 = s->levels_seen[i];
        const int32_t pick_42 = is_21 ? i32_min(255, value_16 + 1) : value_16;
        const uint8_t value_17 = (uint8_t)pick_42;
        const float fast_1 = s->fast[i];
        const float most_2 = f32_max(-0x1.7d784p+26f, is_so(is_21) ? fast_1 +
            f32_max(0x1.c71c72p-3f, f32_div(1.0f, f32_max(1.0f, (float)pick_42))) * (least_6 -
            fast_1) : fast_1);
        const float least_8 = f32_min(0x1.7d784p+26f, most_2);
        const float slow_1 = s->slow[i];
        const float most_3 = f32_max(-0x1.7d784p+26f, is_so(is_21) ? slow_1 +
            f32_max(0x1.f81f82p-6f, f32_div(1.0f, f32_max(1.0f, (float)pick_42))) * (least_6 -
            slow_1) : slow_1);
        const float least_9 = f32_min(0x1.7d784p+26f, most_3);
        const float quality_fast_1 = p->quality_fast[i];
        const float quality_middle_1 = p->quality_middle[i];
        const float value_18 = least_8 - quality_middle_1;
        const float pick_43 = is_so(value_18 < 0.0f) ? (-value_18) : value_18;
        const bool is_22 = (is_so(s->fast_out[i] != 0) ? quality_fast_1 * 0x1.666666p-1f :
            quality_fast_1) < pick_43;
        const float quality_slow_1 = p->quality_slow[i];
        const float value_19 = least_9 - quality_middle_1;
        const bool is_23 = (is_so(s->slow_out[i] != 0) ? quality_slow_1 * 0x1.666666p-1f :
            quality_slow_1) < (is_so(value_19 < 0.0f) ? (-value_19) : value_19);
        const float between_1 = s->between[i];
        const float most_4 = f32_max(-0x1.7d784p+26f, is_so(is_21) ? between_1 +
            f32_max(0x1.47ae14p-4f, f32_div(1.0f, f32_max(1.0f, (float)pick_42))) * (least_6 -
            between_1) : between_1);
        const float least_10 = f32_min(0x1.7d784p+26f, most_4);
        const float value_20 = least_8 - least_10;
        const float most_5 = f32_max(is_so(value_20 < 0.0f) ? (-value_20) : value_20, s->apart[i] *
            0x1.e147aep-1f);
        const float least_11 = f32_min(0x1.dcd65p+29f, f32_max(0.0f, most_5));
        const int32_t value_21 = s->shape[i];
        const int32_t pick_44 = (((is_22 || is_23) && is_21) && (16 <= pick_42)) ? ((0 < value_21) ?
            value_21 : (((pick_43 * 0.5f <= pick_38) || (pick_43 * 0.5f <= most_5)) ? 7 : 8)) : 0;
        const uint8_t value_22 = (uint8_t)pick_44;
        const bool is_24 = (is_so(s->noisy[i] != 0) ? quality_rough_1 * 0x1.666666p-1f :
            quality_rough_1) < pick_37;
        const bool is_25 = is_11 && is_21;
        const int32_t pick_45 = !is_25 ? i32_min(32, (int32_t)s->lost[i] + 1) : 0;
        const uint8_t value_23 = (uint8_t)pick_45;
        const int32_t value_24 = s->seen[i];
        const int32_t pick_46 = is_25 ? i32_min(255, value_24 + 1) : ((pick_45 == 32) ? 0 :
            value_24);
        const uint8_t value_25 = (uint8_t)pick_46;
        const float pick_47 = is_so(is_25) ? f32_min(20.0f, f32_max(-20.0f, ratio_4)) : 0.0f;
        const float last_value_1 = s->last_value[i];
        const float pick_48 = is_so(is_25) ? pick_47 : last_value_1;
        const float level_1 = s->level[i];
        const float ratio_5 = f32_div(1.0f, f32_max(1.0f, (float)pick_46));
        const float most_6 = f32_max(0x1.c71c72p-3f, ratio_5);
        const float pick_49 = is_so(is_25) ? f32_min(20.0f, f32_max(-20.0f, level_1 + most_6 *
            (pick_47 - level_1))) : level_1;
        const float level_2 = s->level[i + 2];
        const float most_7 = f32_max(0x1.e1e1e2p-4f, ratio_5);
        const float pick_50 = is_so(is_25) ? f32_min(20.0f, f32_max(-20.0f, level_2 + most_7 *
            (pick_49 - level_2))) : level_2;
        const float level_3 = s->level[i + 4];
        const float most_8 = f32_max(0x1.f07c2p-5f, ratio_5);
        const float pick_51 = is_so(is_25) ? f32_min(20.0f, f32_max(-20.0f, level_3 + most_8 *
            (pick_50 - level_3))) : level_3;
        const float level_4 = s->level[i + 6];
        const float most_9 = f32_max(0x1.f81f82p-6f, ratio_5);
        const float pick_52 = is_so(is_25) ? f32_min(20.0f, f32_max(-20.0f, level_4 + most_9 *
            (pick_51 - level_4))) : level_4;
        const float level_5 = s->level[i + 8];
        const float most_10 = f32_max(0x1.fc07fp-7f, ratio_5);
        const float pick_53 = is_so(is_25) ? f32_min(20.0f, f32_max(-20.0f, level_5 + most_10 *
            (pick_52 - level_5))) : level_5;
        const float power_1 = s->power[i];
        const float pick_54 = is_so(is_25) ? f32_min(400.0f, f32_max(0.0f, power_1 + most_6 *
            (pick_47 * pick_47 - power_1))) : power_1;
        const float power_2 = s->power[i + 2];
        const float pick_55 = is_so(is_25) ? f32_min(400.0f, f32_max(0.0f, power_2 + most_7 *
            (pick_54 - power_2))) : power_2;
        const float power_3 = s->power[i + 4];
        const float pick_56 = is_so(is_25) ? f32_min(400.0f, f32_max(0.0f, power_3 + most_8 *
            (pick_55 - power_3))) : power_3;
        const float power_4 = s->power[i + 6];
        const float pick_57 = is_so(is_25) ? f32_min(400.0f, f32_max(0.0f, power_4 + most_9 *
            (pick_56 - power_4))) : power_4;
        const float power_5 = s->power[i + 8];
        const float pick_58 = is_so(is_25) ? f32_min(400.0f, f32_max(0.0f, power_5 + most_10 *
            (pick_57 - power_5))) : power_5;
        const float spread_1 = s->spread[i];
        const float value_26 = pick_47 - pick_49;
        const float pick_59 = is_so(is_25) ? f32_min(1600.0f, f32_max(0.0f, spread_1 + most_6 *
            (value_26 * value_26 - spread_1))) : spread_1;
        const float spread_2 = s->spread[i + 2];
        const float pick_60 = is_so(is_25) ? f32_min(1600.0f, f32_max(0.0f, spread_2 + most_7 *
            (pick_59 - spread_2))) : spread_2;
        const float spread_3 = s->spread[i + 4];
        const float pick_61 = is_so(is_25) ? f32_min(1600.0f, f32_max(0.0f, spread_3 + most_8 *
            (pick_60 - spread_3))) : spread_3;
        const float spread_4 = s->spread[i + 6];
        const float pick_62 = is_so(is_25) ? f32_min(1600.0f, f32_max(0.0f, spread_4 + most_9 *
            (pick_61 - spread_4))) : spread_4;
        const float spread_5 = s->spread[i + 8];
        const float pick_63 = is_so(is_25) ? f32_min(1600.0f, f32_max(0.0f, spread_5 + most_10 *
            (pick_62 - spread_5))) : spread_5;
        const bool is_26 = is_25 && (s->last_usable[i] != 0);
        const float roughness_1 = s->roughness[i];
        const float value_27 = pick_47 - last_value_1;
        const float pick_64 = is_so(is_26) ? f32_min(40.0f, f32_max(0.0f, roughness_1 + most_6 *
            ((is_so(value_27 < 0.0f) ? (-value_27) : value_27) - roughness_1))) : roughness_1;
        const float roughness_2 = s->roughness[i + 2];
        const float pick_65 = is_so(is_26) ? f32_min(40.0f, f32_max(0.0f, roughness_2 + most_7 *
            (pick_64 - roughness_2))) : roughness_2;
        const float roughness_3 = s->roughness[i + 4];
        const float pick_66 = is_so(is_26) ? f32_min(40.0f, f32_max(0.0f, roughness_3 + most_8 *
            (pick_65 - roughness_3))) : roughness_3;
        const float roughness_4 = s->roughness[i + 6];
        const float pick_67 = is_so(is_26) ? f32_min(40.0f, f32_max(0.0f, roughness_4 + most_9 *
            (pick_66 - roughness_4))) : roughness_4;
        const float roughness_5 = s->roughness[i + 8];
        const float pick_68 = is_so(is_26) ? f32_min(40.0f, f32_max(0.0f, roughness_5 + most_10 *
            (pick_67 - roughness_5))) : roughness_5;
        const float row_6 = pick_47 - pick_49;
        const float row_7 = pick_49 - pick_52;
        const int32_t pick_69 = is_20 ? 9 : ((p->quality_broken[i] < value_1) ? 5 : (((is_12 &&
            !is_14) && (0 < value_3)) ? 4 : 0));
        const int32_t pick_70 = (((pick_30 == 0) || (pick_30 == 2)) && (0 < pick_69)) ? pick_69 :
            pick_30;
        const int32_t pick_71 = is_19 ? 9 : (is_24 ? 6 : pick_44);
        s->last[i] = f32_canonical(pick_27);
        s->repeats[i] = pick_28;
        s->silence[i] = pick_29;
        s->lost_before[i] = (uint8_t)is_8;
        s->losses[i] = least_5;
        s->wait[i] = value_4;
        s->before[i] = pick_32;
        s->one[i] = pick_33;
        s->two[i] = pick_34;
        s->three[i] = pick_35;
        s->taken[i] = value_5;
        scratch.b[is_3 + i] = (uint8_t)is_17;
        s->rough[i] = pick_37;
        s->stepped[i] = least_7;
        s->unit_left[i] = value_9;
        s->unit[i] = value_15;
        s->levels_seen[i] = value_17;
        s->fast[i] = least_8;
        s->slow[i] = least_9;
        s->fast_out[i] = (uint8_t)is_22;
        s->slow_out[i] = (uint8_t)is_23;
        s->between[i] = least_10;
        s->apart[i] = least_11;
        s->shape[i] = value_22;
        s->noisy[i] = (uint8_t)is_24;
        s->last_usable[i] = (uint8_t)is_25;
        scratch.b[is_2 + i] = (uint8_t)is_25;
        s->lost[i] = value_23;
        scratch.i[pick_5 + i] = pick_46;
        s->seen[i] = value_25;
        s->last_value[i] = pick_48;
        scratch.f[pick_7 + i] = pick_49;
        scratch.f[row_3 + i] = pick_49;
        scratch.f[pick_8 + i] = pick_50;
        scratch.f[row_3 + i + 2] = pick_50;
        scratch.f[pick_9 + i] = pick_51;
        scratch.f[row_3 + i + 4] = pick_51;
        scratch.f[pick_10 + i] = pick_52;
        scratch.f[row_3 + i + 6] = pick_52;
        scratch.f[pick_11 + i] = pick_53;
        scratch.f[row_3 + i + 8] = pick_53;
        scratch.f[pick_12 + i] = pick_54;
        scratch.f[row_3 + i + 10] = pick_54;
        scratch.f[pick_13 + i] = pick_55;
        scratch.f[row_3 + i + 12] = pick_55;
        scratch.f[pick_14 + i] = pick_56;
        scratch.f[row_3 + i + 14] = pick_56;
        scratch.f[pick_15 + i] = pick_57;
        scratch.f[row_3 + i + 16] = pick_57;
        scratch.f[pick_16 + i] = pick_58;
        scratch.f[row_3 + i + 18] = pick_58;
        scratch.f[pick_17 + i] = pick_59;
        scratch.f[row_3 + i + 20] = pick_59;
        scratch.f[pick_18 + i] = pick_60;
        scratch.f[row_3 + i + 22] = pick_60;
        scratch.f[pick_19 + i] = pick_61;
        scratch.f[row_3 + i + 24] = pick_61;
        scratch.f[pick_20 + i] = pick_62;
        scratch.f[row_3 + i + 26] = pick_62;
        scratch.f[pick_21 + i] = pick_63;
        scratch.f[row_3 + i + 28] = pick_63;
        scratch.f[pick_22 + i] = pick_64;
        scratch.f[row_3 + i + 30] = pick_64;
        scratch.f[pick_23 + i] = pick_65;
        scratch.f[row_3 + i + 32] = pick_65;
        scratch.f[pick_24 + i] = pick_66;
        scratch.f[row_3 + i + 34] = pick_66;
        scratch.f[pick_25 + i] = pick_67;
        scratch.f[row_3 + i + 36] = pick_67;
        scratch.f[pick_26 + i] = pick_68;
        scratch.f[row_3 + i + 38] = pick_68;
        scratch.f[row_1 + i] = row_6;
        scratch.f[row_1 + i + 2] = row_7;
        scratch.f[row_1 + i + 4] = pick_52;
        out->fault[i] = pick_70;
        out->looks[i] = pick_71;
    }
    /* le */
    int32_t total_5 = -2147483647 - 1;
    /* min */
    int32_t total_6 = -2147483647 - 1;
    for (int32_t i = 0; i < 2; i++) {
        const int32_t pick_72 = scratch.i[pick_5 + i];
        total_5 = i32_max(total_5, pick_72);
        total_6 = i32_max(total_6, pick_72);
    }
    const bool is_27 = 48 <= total_5;
    const int32_t least_12 = i32_min(128, total_6);
    /* max */
    const int32_t most_11 = i32_max(48, least_12 - 16);
    /* and[2] to scratch row_2, scratch row_2, scratch row_2, scratch is_1 */
    for (int32_t i = 0; i < 2; i++) {
        const bool is_28 = scratch.b[is_2 + i] != 0;
        const int32_t pick_74 = scratch.i[pick_5 + i];
        const bool is_29 = is_28 && (most_11 <= pick_74);
        scratch.b[row_2 + i] = (uint8_t)is_29;
        scratch.b[row_2 + i + 2] = (uint8_t)is_29;
        scratch.b[row_2 + i + 4] = (uint8_t)is_29;
        scratch.b[is_1 + i] = (uint8_t)is_29;
    }
    /* each to scratch each_1 */
    for (int32_t i = 0; i < 2; i++) {
        /* gather[20] to scratch each_1 */
        for (int32_t j = 0; j < 20; j++) {
            scratch.f[each_1 + 20 * i + j] = scratch.f[row_3 + i + 2 * j];
        }
    }
    /* where[2, 20] to scratch pick_4 */
    for (int32_t i = 0; i < 2; i++) {
        const bool is_30 = scratch.b[is_1 + i] != 0;
        for (int32_t j = 0; j < 20; j++) {
            const float drift_1 = s->drift[20 * i + j];
            const float pick_75 = is_so(is_30) ? f32_min(30000.0f, f32_max(-30000.0f,
                scratch.f[each_1 + 20 * i + j] - p->own_centre[20 * i + j] - drift_1)) : 0.0f;
            scratch.f[pick_4 + 20 * i + j] = pick_75;
        }
    }
    /* reduce[2, 20] to scratch total_3 */
    for (int32_t i = 0; i < 2; i++) {
        for (int32_t j = 0; j < 20; j++) {
            float total_7 = -0.0f;
            total_7 = f32_dot(total_7, &p->own_whiten[400 * i + 20 * j], &scratch.f[pick_4 + 20 *
                i], 20);
            scratch.f[total_3 + 20 * i + j] = total_7;
        }
    }
    /* where[3, 2] to scratch pick_2 */
    for (int32_t i = 0; i < 3; i++) {
        for (int32_t j = 0; j < 2; j++) {
            const bool value_28 = scratch.b[row_2 + 2 * i + j] != 0;
            const float drift_2_1 = s->drift_2[2 * i + j];
            const float pick_77 = is_so(value_28) ? f32_min(30000.0f, f32_max(-30000.0f,
                scratch.f[row_1 + 2 * i + j] - p->together_centre[2 * i + j] - drift_2_1)) : 0.0f;
            scratch.f[pick_2 + 2 * i + j] = pick_77;
        }
    }
    /* reduce, div[3, 2] to scratch total_2, scratch ratio_3 */
    for (int32_t i = 0; i < 3; i++) {
        for (int32_t j = 0; j < 2; j++) {
            float total_8 = -0.0f;
            for (int32_t k = 0; k < 2; k++) {
                const float together_whiten_1 = p->together_whiten[4 * i + 2 * j + k];
                const float pick_78 = scratch.f[pick_2 + 2 * i + k];
                total_8 = total_8 + together_whiten_1 * pick_78;
            }
            const float ratio_2_1 = s->ratio_2[2 * i + j];
            const float ratio_6 = f32_div(total_8, ratio_2_1);
            scratch.f[total_2 + 2 * i + j] = total_8;
            scratch.f[ratio_3 + 2 * i + j] = ratio_6;
        }
    }
    /* reduce[3, 2] to scratch total_1 */
    for (int32_t i = 0; i < 3; i++) {
        for (int32_t j = 0; j < 2; j++) {
            float total_9 = -0.0f;
            for (int32_t k = 0; k < 2; k++) {
                const float together_whiten_2 = p->together_whiten[4 * i + j + 2 * k];
                const float ratio_7 = scratch.f[ratio_3 + 2 * i + k];
                total_9 = total_9 + together_whiten_2 * ratio_7;
            }
            scratch.f[total_1 + 2 * i + j] = total_9;
        }
    }
    /* div, where, where[3] to scratch ratio_2, state mean_distance_2, scratch pick_1 */
    const float together_pace_1 = p->together_pace;
    for (int32_t i = 0; i < 3; i++) {
        float total_10 = -0.0f;
        for (int32_t j = 0; j < 2; j++) {
            const float total_11 = scratch.f[total_2 + 2 * i + j];
            const float ratio_8 = scratch.f[ratio_3 + 2 * i + j];
            total_10 = total_10 + total_11 * ratio_8;
        }
        const float least_13 = f32_min(0x1.1c3794p+53f, f32_max(0.0f, total_10));
        float total_12 = -0.0f;
        for (int32_t j = 0; j < 2; j++) {
            const bool value_29 = scratch.b[row_2 + 2 * i + j] != 0;
            const float total_13 = scratch.f[total_1 + 2 * i + j];
            total_12 = total_12 + (is_so(value_29) ? 0.0f : f32_div(total_13 * total_13,
                p->together_precision[2 * i + j]));
        }
        const float ratio_9 = f32_div(f32_min(0x1.1c3794p+53f, f32_max(0.0f, least_13 - total_12)),
            f32_max(0x1p-100f, least_13));
        const float mean_distance_2_1 = s->mean_distance_2[i];
        const float together_gain_1 = p->together_gain[i];
        const float product_4 = least_13 * ratio_9 * together_gain_1;
        const float pick_79 = is_so(is_27) ? f32_min(0x1.e848p+19f, f32_max(0x1.0624dep-10f,
            mean_distance_2_1 + together_pace_1 * (f32_min(mean_distance_2_1 * 5.0f, product_4) -
            mean_distance_2_1))) : mean_distance_2_1;
        const float product_5 = mean_distance_2_1 * 3.0f;
        const float pick_80 = is_so(is_27) ? together_pace_1 * (is_so(product_4 <= product_5) ? 1.0f
            : f32_div(product_5, f32_max(0x1.0c6f7ap-20f, product_4))) : 0.0f;
        scratch.f[ratio_2 + i] = ratio_9;
        s->mean_distance_2[i] = pick_79;
        scratch.f[pick_1 + i] = pick_80;
    }
    /* min[3, 2] to state drift_2 */
    for (int32_t i = 0; i < 3; i++) {
        const float value_30 = scratch.f[pick_1 + i];
        for (int32_t j = 0; j < 2; j++) {
            const float drift_2_2 = s->drift_2[2 * i + j];
            const float pick_81 = scratch.f[pick_2 + 2 * i + j];
            s->drift_2[2 * i + j] = f32_min(10000.0f, f32_max(-10000.0f, drift_2_2 + value_30 *
                pick_81));
        }
    }
    /* where[3, 2] to state ratio_2 */
    for (int32_t i = 0; i < 3; i++) {
        int32_t total_14 = 2147483647;
        for (int32_t j = 0; j < 2; j++) {
            const bool value_31 = scratch.b[row_2 + 2 * i + j] != 0;
            total_14 = i32_min(total_14, (int32_t)value_31);
        }
        const float value_32 = scratch.f[pick_1 + i];
        const bool value_33 = total_14 == 1;
        for (int32_t j = 0; j < 2; j++) {
            const float ratio_2_2 = s->ratio_2[2 * i + j];
            const float total_15 = scratch.f[total_2 + 2 * i + j];
            const float pick_82 = is_so(value_33) ? f32_min(0x1.e848p+19f, f32_max(0.25f, ratio_2_2
                + value_32 * (total_15 * total_15 + p->together_short[2 * i + j] - ratio_2_2))) :
                ratio_2_2;
            s->ratio_2[2 * i + j] = pick_82;
        }
    }
    /* mul, min[3, 2] to scratch product_2, scratch least_3 */
    for (int32_t i = 0; i < 3; i++) {
        const float ratio_10 = scratch.f[ratio_2 + i];
        const float together_gain_2 = p->together_gain[i];
        const float value_34 = ratio_10 * together_gain_2;
        for (int32_t j = 0; j < 2; j++) {
            const float pick_83 = scratch.f[pick_2 + 2 * i + j];
            const float total_16 = scratch.f[total_1 + 2 * i + j];
            const float product_6 = pick_83 * total_16 * value_34 * 1.0f;
            const float least_14 = f32_min(0x1.1c3794p+53f, f32_max(0.0f, product_6));
            scratch.f[product_2 + 2 * i + j] = product_6;
            scratch.f[least_3 + 2 * i + j] = least_14;
        }
    }
    /* mul */
    float total_17 = -0.0f;
    for (int32_t i = 0; i < 2; i++) {
        float total_18 = -0.0f;
        for (int32_t j = 0; j < 3; j++) {
            const float product_7 = scratch.f[product_2 + i + 2 * j];
            total_18 = total_18 + product_7;
        }
        total_17 = total_17 + total_18 * 0x1.555556p-2f;
    }
    const int32_t value_35 = f32_bits(f32_min(0x1.fffffep+127f, f32_max(0x1p-126f,
        f32_min(0x1.1c3794p+53f, f32_max(1.0f, f32_min(0x1.1c3794p+53f, f32_max(0.0f, total_17)) +
        1.0f)))));
    const int32_t value_36 = value_35 & 8388607;
    const bool is_31 = 3474675 < value_36;
    const float value_37 = f32_of_bits((value_35 & 8388607) | 1065353216);
    const float pick_84 = is_so(is_31) ? value_37 * 0.5f : value_37;
    const float ratio_11 = f32_div(pick_84 - 1.0f, pick_84 + 1.0f);
    const float product_8 = ratio_11 * ratio_11;
    const float product_9 = ratio_11 * ((((0x1.484b14p-2f * product_8 + 0x1.a61762p-2f) * product_8
        + 0x1.2776c6p-1f) * product_8 + 0x1.ec709ep-1f) * product_8 + 0x1.715476p+1f);
    const float product_10 = ((float)(i32_shr(value_35, 23) - 127 + (int32_t)is_31) + product_9) *
        0x1.62e43p-1f;
    /* min, div[3] to state lately, scratch ratio_1 */
    for (int32_t i = 0; i < 3; i++) {
        const float lately_1 = s->lately[i];
        float total_19 = -0.0f;
        for (int32_t j = 0; j < 2; j++) {
            const float product_11 = scratch.f[product_2 + 2 * i + j];
            total_19 = total_19 + product_11;
        }
        const float least_15 = f32_min(0x1.1c3794p+53f, f32_max(0.0f, total_19));
        const float least_16 = f32_min(0x1.e848p+19f, f32_max(0x1.0624dep-10f, lately_1 +
            (f32_min(lately_1 * 5.0f, least_15) - lately_1) * 0x1.0624dep-10f));
        float total_20 = -0.0f;
        for (int32_t j = 0; j < 2; j++) {
            const float least_17 = scratch.f[least_3 + 2 * i + j];
            total_20 = total_20 + least_17;
        }
        const float ratio_12 = f32_div(f32_min(0x1.e848p+19f, f32_max(0x1.0c6f7ap-20f,
            f32_div(least_15, lately_1) - 1.0f)), f32_max(0x1.197998p-40f, total_20));
        s->lately[i] = least_16;
        scratch.f[ratio_1 + i] = ratio_12;
    }
    /* min[2] to scratch least_2 */
    for (int32_t i = 0; i < 2; i++) {
        float total_21 = -0.0f;
        for (int32_t j = 0; j < 3; j++) {
            const float least_18 = scratch.f[least_3 + i + 2 * j];
            total_21 = total_21 + least_18 * scratch.f[ratio_1 + j];
        }
        const float least_19 = f32_min(0x1.93e594p+99f, f32_max(0.0f, total_21));
        scratch.f[least_2 + i] = least_19;
    }
    /* max */
    float total_22 = -0.0f;
    for (int32_t i = 0; i < 2; i++) {
        const float least_20 = scratch.f[least_2 + i];
        total_22 = total_22 + least_20;
    }
    const float most_12 = f32_max(0x1p-100f, total_22);
    /* where, where, mul, min[2] to state mean_distance, scratch pick_3, scratch produc */
    const float own_pace_1 = p->own_pace;
    for (int32_t i = 0; i < 2; i++) {
        const float mean_distance_1 = s->mean_distance[i];
        float total_23 = -0.0f;
        for (int32_t j = 0; j < 20; j++) {
            const float total_24 = scratch.f[total_3 + 20 * i + j];
            const float ratio_13 = s->ratio[20 * i + j];
            total_23 = total_23 + total_24 * f32_div(total_24, ratio_13);
        }
        const float product_12 = f32_min(0x1.1c3794p+53f, f32_max(0.0f, total_23)) * 1.0f *
            p->own_gain[i];
        const float pick_85 = is_so(is_27) ? f32_min(0x1.e848p+19f, f32_max(0x1.0624dep-10f,
            mean_distance_1 + own_pace_1 * (f32_min(mean_distance_1 * 5.0f, product_12) -
            mean_distance_1))) : mean_distance_1;
        const float product_13 = mean_distance_1 * 3.0f;
        const float pick_86 = is_so(is_27) ? own_pace_1 * (is_so(product_12 <= product_13) ? 1.0f :
            f32_div(product_13, f32_max(0x1.0c6f7ap-20f, product_12))) : 0.0f;
        const int32_t value_38 = f32_bits(f32_min(0x1.fffffep+127f, f32_max(0x1p-126f,
            f32_min(0x1.1c3794p+53f, f32_max(1.0f, product_12 + 1.0f)))));
        const int32_t value_39 = value_38 & 8388607;
        const bool is_32 = 3474675 < value_39;
        const float value_40 = f32_of_bits((value_38 & 8388607) | 1065353216);
        const float pick_87 = is_so(is_32) ? value_40 * 0.5f : value_40;
        const float ratio_14 = f32_div(pick_87 - 1.0f, pick_87 + 1.0f);
        const float product_14 = ratio_14 * ratio_14;
        const float product_15 = ratio_14 * ((((0x1.484b14p-2f * product_14 + 0x1.a61762p-2f) *
            product_14 + 0x1.2776c6p-1f) * product_14 + 0x1.ec709ep-1f) * product_14 +
            0x1.715476p+1f);
        const float product_16 = ((float)(i32_shr(value_38, 23) - 127 + (int32_t)is_32) +
            product_15) * 0x1.62e43p-1f * 0.25f;
        const float least_21 = scratch.f[least_2 + i];
        const float least_22 = f32_min(0x1.93e594p+99f, f32_max(0.0f, product_16 + f32_div(least_21,
            most_12) * 0x1.ffff8p-1f * product_10));
        s->mean_distance[i] = pick_85;
        scratch.f[pick_3 + i] = pick_86;
        scratch.f[product_1 + i] = product_16;
        scratch.f[least_1 + i] = least_22;
    }
    /* min[2, 20] to state drift */
    for (int32_t i = 0; i < 2; i++) {
        const float value_41 = scratch.f[pick_3 + i];
        for (int32_t j = 0; j < 20; j++) {
            const float drift_2 = s->drift[20 * i + j];
            const float pick_88 = scratch.f[pick_4 + 20 * i + j];
            s->drift[20 * i + j] = f32_min(10000.0f, f32_max(-10000.0f, drift_2 + value_41 *
                pick_88));
        }
    }
    /* where[2, 20] to state ratio */
    for (int32_t i = 0; i < 2; i++) {
        const bool is_33 = scratch.b[is_1 + i] != 0;
        const float value_42 = scratch.f[pick_3 + i];
        for (int32_t j = 0; j < 20; j++) {
            const float ratio_15 = s->ratio[20 * i + j];
            const float total_25 = scratch.f[total_3 + 20 * i + j];
            const float pick_89 = is_so(is_33) ? f32_min(0x1.e848p+19f, f32_max(0.25f, ratio_15 +
                value_42 * (total_25 * total_25 + p->own_short[20 * i + j] - ratio_15))) : ratio_15;
            s->ratio[20 * i + j] = pick_89;
        }
    }
    /* where to out score */
    float total_26 = -0.0f;
    for (int32_t i = 0; i < 2; i++) {
        const float product_17 = scratch.f[product_1 + i];
        total_26 = total_26 + product_17;
    }
    const float pick_90 = is_so(is_27) ? f32_div(total_26 + product_10, p->threshold) *
        ((float)least_12 * 0x1p-7f) : 0.0f;
    out->score = pick_90;
    /* where */
    int32_t total_27 = 0;
    for (int32_t i = 0; i < 2; i++) {
        const bool is_34 = scratch.b[is_3 + i] != 0;
        total_27 = total_27 + (int32_t)is_34;
    }
    const float pick_91 = is_so(0 < total_27) ? f32_min(0x1.ff8p-1f, pick_90) : pick_90;
    /* le */
    const bool is_35 = 1.0f <= pick_91;
    /* where */
    const int32_t pick_92 = is_35 ? 1 : 0;
    /* cast to state over */
    const uint8_t value_43 = (uint8_t)pick_92;
    /* or */
    const bool is_36 = (is_4 && (0x1.99999ap-1f <= pick_91)) || (is_35 && (pick_92 == 1));
    /* where to state trouble_left */
    const int32_t pick_93 = is_36 ? 16 : i32_max(0, trouble_left_1 - 1);
    /* and */
    const bool is_37 = is_36 && !is_4;
    /* and */
    const bool told_1 = s->told != 0;
    const bool is_38 = (is_37 || (is_35 && (is_4 && !told_1))) && is_5;
    /* min to state tokens */
    const float least_23 = f32_min(8.0f, f32_max(0.0f, least_4 - (float)(int32_t)is_38));
    /* or to state told */
    const bool is_39 = is_38 || (told_1 && !is_37);
    /* where to state held_back, out held_back */
    const int32_t held_back_1 = s->held_back;
    const int32_t pick_94 = (is_37 && !is_5) ? i32_min(65536, held_back_1 + 1) : held_back_1;
    out->held_back = pick_94;
    /* max */
    float total_28 = -0.0f;
    for (int32_t i = 0; i < 2; i++) {
        const float least_24 = scratch.f[least_1 + i];
        total_28 = total_28 + least_24;
    }
    const float most_13 = f32_max(0x1p-100f, total_28);
    /* mul, where, cast[2] to out share, out lasting, state lasting */
    for (int32_t i = 0; i < 2; i++) {
        const float least_25 = scratch.f[least_1 + i];
        const float product_18 = f32_div(least_25, most_13) * 0x1.ffff8p-1f;
        const int32_t pick_95 = (p->mostly[i] <= product_18 * pick_90) ? i32_min(32767,
            (int32_t)s->lasting[i] + 1) : 0;
        const int16_t value_44 = (int16_t)pick_95;
        out->share[i] = product_18;
        out->lasting[i] = pick_95;
        s->lasting[i] = value_44;
    }
    /* where to state top */
    const float pick_96 = is_so(pick_90 == pick_90) ? pick_90 : 0.0f;
    const float pick_97 = is_so(is_6) ? pick_96 : f32_max(s->top, pick_96);
    /* and to out alarm */
    out->alarm = (uint8_t)(is_39 && (0 < pick_93));
    /* what was computed from the old values is written now */
    s->place = pick_6;
    for (int32_t i = 0; i < 2; i++) {
        s->level[i] = scratch.f[pick_7 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->level[i + 2] = scratch.f[pick_8 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->level[i + 4] = scratch.f[pick_9 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->level[i + 6] = scratch.f[pick_10 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->level[i + 8] = scratch.f[pick_11 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->power[i] = scratch.f[pick_12 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->power[i + 2] = scratch.f[pick_13 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->power[i + 4] = scratch.f[pick_14 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->power[i + 6] = scratch.f[pick_15 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->power[i + 8] = scratch.f[pick_16 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->spread[i] = scratch.f[pick_17 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->spread[i + 2] = scratch.f[pick_18 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->spread[i + 4] = scratch.f[pick_19 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->spread[i + 6] = scratch.f[pick_20 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->spread[i + 8] = scratch.f[pick_21 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->roughness[i] = scratch.f[pick_22 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->roughness[i + 2] = scratch.f[pick_23 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->roughness[i + 4] = scratch.f[pick_24 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->roughness[i + 6] = scratch.f[pick_25 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->roughness[i + 8] = scratch.f[pick_26 + i];
    }
    s->over = value_43;
    s->trouble_left = pick_93;
    s->tokens = least_23;
    s->told = (uint8_t)is_39;
    s->held_back = pick_94;
    s->top = pick_97;
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
    static const float init_0[] = { NAN, NAN };
    memset(s, 0, sizeof *s);
    memcpy(s->last, init_0, sizeof init_0);
    for (int32_t i = 0; i < 40; i++) {
        s->ratio[i] = 1.0f;
    }
    for (int32_t i = 0; i < 2; i++) {
        s->mean_distance[i] = 1.0f;
    }
    for (int32_t i = 0; i < 6; i++) {
        s->ratio_2[i] = 1.0f;
    }
    for (int32_t i = 0; i < 3; i++) {
        s->mean_distance_2[i] = 1.0f;
    }
    for (int32_t i = 0; i < 3; i++) {
        s->lately[i] = 1.0f;
    }
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
