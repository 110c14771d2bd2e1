/* p.c: detector, as emitted by bimetal. */
#include "p.h"

#include <float.h>
#include <math.h>
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

static const BIMETAL_FLASH uint8_t table1[4] = { 1, 2, 3, 4 };

/* Every reading. */
static void p_every(p_state *s, const BIMETAL_FLASH p_params *p, const p_in *in, p_out *out)
{
    /* Scratch memory; what is not needed at the same time may share a place. */
    union {
        uint8_t b[486];
        float f[186];
        int32_t i[118];
    } scratch;
    enum { each_1 = 122, is_1 = 60, is_10 = 56, is_11 = 58, is_12 = 60, is_13 = 62, is_14 = 64, is_2
        = 60, is_27 = 70, is_3 = 60, is_4 = 472, is_5 = 474, is_59 = 56, is_6 = 476, is_60 = 58,
        is_61 = 60, is_7 = 478, is_8 = 66, is_9 = 68, least_1 = 58, least_16 = 18, least_17 = 20,
        least_2 = 116, least_22 = 0, least_23 = 10, least_24 = 12, least_25 = 18, least_26 = 20,
        least_27 = 24, least_3 = 0, most_1 = 12, pick_1 = 22, pick_10 = 2, pick_100 = 24, pick_101 =
        26, pick_105 = 26, pick_106 = 28, pick_11 = 4, pick_12 = 6, pick_13 = 8, pick_2 = 180,
        pick_24 = 64, pick_25 = 66, pick_26 = 68, pick_27 = 70, pick_28 = 72, pick_29 = 74, pick_3 =
        58, pick_30 = 76, pick_31 = 78, pick_32 = 80, pick_33 = 82, pick_34 = 84, pick_35 = 86,
        pick_36 = 88, pick_37 = 90, pick_38 = 92, pick_39 = 94, pick_4 = 60, pick_40 = 96, pick_41 =
        98, pick_42 = 100, pick_43 = 102, pick_44 = 104, pick_45 = 106, pick_46 = 108, pick_47 =
        110, pick_48 = 112, pick_49 = 114, pick_5 = 18, pick_6 = 116, pick_7 = 28, pick_8 = 30,
        pick_9 = 10, pick_90 = 62, product_1 = 120, product_2 = 183, product_3 = 116, ratio_1 = 162,
        ratio_2 = 12, row_1 = 58, row_2 = 480, row_3 = 18, row_4 = 0, total_1 = 174, total_2 = 168,
        total_3 = 122 };
    /* x0 to scratch row_4 */
    scratch.f[row_4] = in->x0;
    /* x1 to scratch row_4 */
    scratch.f[row_4 + 1] = in->x1;
    /* where, where, where, not, and, where, and, div, min, and, where, where, where, w */
    for (int32_t i = 0; i < 2; i++) {
        const float row_5 = scratch.f[row_4 + i];
        const bool is_15 = row_5 == row_5;
        const float last_1 = s->last[i];
        const float pick_14 = is_so(is_15) ? row_5 : last_1;
        const int32_t repeats_1 = s->repeats[i];
        const int32_t pick_15 = is_15 ? ((row_5 == last_1) ? i32_min(16777216, repeats_1 + 1) : 1) :
            repeats_1;
        const int32_t pick_16 = !is_15 ? i32_min(16777216, s->silence[i] + 1) : 0;
        const bool is_16 = !(row_5 == row_5);
        const bool is_17 = (p->sensor_low[i] <= row_5) && (row_5 <= p->sensor_high[i]);
        const bool is_18 = p->sensor_stuck_after[i] <= pick_15;
        const bool is_19 = is_17 && !is_18;
        const int32_t pick_17 = (p->sensor_gone_after[i] <= pick_16) ? 1 : ((is_15 && !is_17) ? 2 :
            (is_18 ? 3 : 0));
        const bool is_20 = (is_19 || (pick_17 == 2)) && !is_16;
        const float ratio_3 = f32_div(row_5 - p->usual_location[i], p->usual_scale[i]);
        const float least_4 = f32_min(0x1.7d784p+26f, f32_max(-0x1.7d784p+26f, is_so(is_20) ?
            ratio_3 : 0.0f));
        const int32_t taken_1 = s->taken[i];
        const bool is_21 = 3 <= taken_1;
        const float quality_jump_1 = p->quality_jump[i];
        const float one_1 = s->one[i];
        const float two_1 = s->two[i];
        const float three_1 = s->three[i];
        const bool is_22 = (is_20 && is_21) && (quality_jump_1 < f32_max(least_4 - f32_max(one_1,
            f32_max(two_1, three_1)), f32_min(one_1, f32_min(two_1, three_1)) - least_4));
        const int32_t wait_1 = s->wait[i];
        const int32_t pick_18 = is_22 ? i32_min(3, wait_1 + 1) : (is_20 ? 0 : wait_1);
        const bool is_23 = is_22 && (pick_18 == 3);
        const int32_t pick_19 = is_23 ? 0 : pick_18;
        const bool is_24 = is_20 && !is_22;
        const float pick_20 = is_so(is_23 || is_24) ? least_4 : one_1;
        const float pick_21 = is_so(is_23) ? least_4 : (is_so(is_24) ? one_1 : two_1);
        const float pick_22 = is_so(is_23) ? least_4 : (is_so(is_24) ? two_1 : three_1);
        const int32_t pick_23 = is_24 ? i32_min(4, taken_1 + 1) : taken_1;
        const bool is_25 = is_22 && !is_23;
        const bool is_26 = (is_20 && !is_22) && (0 < wait_1);
        s->last[i] = f32_canonical(pick_14);
        s->repeats[i] = pick_15;
        s->silence[i] = pick_16;
        scratch.b[is_14 + i] = (uint8_t)is_16;
        scratch.b[is_13 + i] = (uint8_t)is_16;
        scratch.b[is_12 + i] = (uint8_t)is_19;
        scratch.i[pick_9 + i] = pick_17;
        scratch.b[is_11 + i] = (uint8_t)is_20;
        scratch.f[ratio_2 + i] = ratio_3;
        scratch.f[least_3 + i] = least_4;
        scratch.b[is_10 + i] = (uint8_t)is_23;
        s->wait[i] = pick_19;
        scratch.f[pick_10 + i] = pick_20;
        scratch.f[pick_11 + i] = pick_21;
        scratch.f[pick_12 + i] = pick_22;
        scratch.i[pick_13 + i] = pick_23;
        scratch.b[is_9 + i] = (uint8_t)is_25;
        scratch.b[is_8 + i] = (uint8_t)is_26;
    }
    /* max, where, where, where, and, lt, and, and, and, where, where, where, where, wh */
    for (int32_t i = 0; i < 2; i++) {
        const float one_2 = s->one[i];
        const float two_2 = s->two[i];
        const float three_2 = s->three[i];
        const float most_2 = f32_max(f32_min(one_2, two_2), f32_min(f32_max(one_2, two_2),
            three_2));
        const bool is_28 = scratch.b[is_10 + i] != 0;
        const float before_1 = s->before[i];
        const float pick_50 = is_so(is_28) ? most_2 : before_1;
        const bool is_29 = scratch.b[is_11 + i] != 0;
        const int32_t unit_left_1 = s->unit_left[i];
        const int32_t pick_51 = is_28 ? 8 : (is_29 ? i32_max(0, unit_left_1 - 1) : unit_left_1);
        const float least_5 = scratch.f[least_3 + i];
        const float value_1 = least_5 - p->quality_centre[i];
        const bool is_30 = p->quality_reach[i] < (is_so(value_1 < 0.0f) ? (-value_1) : value_1);
        const int32_t unit_1 = s->unit[i];
        int32_t total_4 = -2147483647 - 1;
        const float pick_52 = is_so(is_28) ? most_2 : before_1;
        const float quality_jump_2 = p->quality_jump[i];
        const float value_3 = pick_52 + p->quality_origin[i];
        const float value_4 = f32_min(quality_jump_2, (is_so(value_3 < 0.0f) ? (-value_3) : value_3)
            * 0.25f);
        for (int32_t j = 0; j < 4; j++) {
            const float value_2 = least_5 * p->quality_factor[i + 2 * j] + p->quality_shift[i + 2 *
                j] - pick_52;
            total_4 = i32_max(total_4, ((is_so(value_2 < 0.0f) ? (-value_2) : value_2) <= value_4) ?
                (int32_t)table1[j] : 0);
        }
        const int32_t pick_53 = (is_29 && !is_30) ? 0 : ((((is_30 && is_29) && (0 < pick_51)) &&
            (unit_1 == 0)) ? total_4 : unit_1);
        const float quality_follows_1 = p->quality_follows[i];
        const bool is_31 = !(quality_follows_1 == 0.0f);
        const int32_t quality_sibling_1 = p->quality_sibling[i];
        const bool is_32 = scratch.b[is_9 + quality_sibling_1] != 0;
        const bool is_33 = scratch.b[is_8 + quality_sibling_1] != 0;
        const bool is_34 = is_31 && (is_32 || is_33);
        const bool is_35 = 0 < pick_53;
        const bool is_36 = is_35 && (p->quality_unit_known[i] != 0);
        const bool is_37 = scratch.b[is_9 + i] != 0;
        const bool is_38 = (is_29 && !((is_37 && is_31) && !is_34)) && !is_36;
        const bool is_39 = scratch.b[is_12 + i] != 0;
        const bool is_40 = is_39 && is_38;
        const int32_t pick_54 = !is_40 ? i32_min(32, s->lost[i] + 1) : 0;
        const int32_t seen_1 = s->seen[i];
        const int32_t pick_55 = is_40 ? i32_min(65536, seen_1 + 1) : ((pick_54 == 32) ? 0 : seen_1);
        const float ratio_4 = scratch.f[ratio_2 + i];
        const float pick_56 = is_so(is_40) ? f32_min(20.0f, f32_max(-20.0f, ratio_4)) : 0.0f;
        const float last_value_1 = s->last_value[i];
        const float pick_57 = is_so(is_40) ? pick_56 : last_value_1;
        const float level_1 = s->level[i];
        const float ratio_5 = f32_div(1.0f, f32_max(1.0f, (float)pick_55));
        const float most_3 = f32_max(0x1.c71c72p-3f, ratio_5);
        const float pick_58 = is_so(is_40) ? f32_min(20.0f, f32_max(-20.0f, level_1 + most_3 *
            (pick_56 - level_1))) : level_1;
        const float level_2 = s->level[i + 2];
        const float most_4 = f32_max(0x1.e1e1e2p-4f, ratio_5);
        const float pick_59 = is_so(is_40) ? f32_min(20.0f, f32_max(-20.0f, level_2 + most_4 *
            (pick_58 - level_2))) : level_2;
        const float level_3 = s->level[i + 4];
        const float most_5 = f32_max(0x1.f07c2p-5f, ratio_5);
        const float pick_60 = is_so(is_40) ? f32_min(20.0f, f32_max(-20.0f, level_3 + most_5 *
            (pick_59 - level_3))) : level_3;
        const float level_4 = s->level[i + 6];
        const float most_6 = f32_max(0x1.f81f82p-6f, ratio_5);
        const float pick_61 = is_so(is_40) ? f32_min(20.0f, f32_max(-20.0f, level_4 + most_6 *
            (pick_60 - level_4))) : level_4;
        const float level_5 = s->level[i + 8];
        const float most_7 = f32_max(0x1.fc07fp-7f, ratio_5);
        const float pick_62 = is_so(is_40) ? f32_min(20.0f, f32_max(-20.0f, level_5 + most_7 *
            (pick_61 - level_5))) : level_5;
        const float power_1 = s->power[i];
        const float pick_63 = is_so(is_40) ? f32_min(400.0f, f32_max(0.0f, power_1 + most_3 *
            (pick_56 * pick_56 - power_1))) : power_1;
        const float power_2 = s->power[i + 2];
        const float pick_64 = is_so(is_40) ? f32_min(400.0f, f32_max(0.0f, power_2 + most_4 *
            (pick_63 - power_2))) : power_2;
        const float power_3 = s->power[i + 4];
        const float pick_65 = is_so(is_40) ? f32_min(400.0f, f32_max(0.0f, power_3 + most_5 *
            (pick_64 - power_3))) : power_3;
        const float power_4 = s->power[i + 6];
        const float pick_66 = is_so(is_40) ? f32_min(400.0f, f32_max(0.0f, power_4 + most_6 *
            (pick_65 - power_4))) : power_4;
        const float power_5 = s->power[i + 8];
        const float pick_67 = is_so(is_40) ? f32_min(400.0f, f32_max(0.0f, power_5 + most_7 *
            (pick_66 - power_5))) : power_5;
        const float spread_1 = s->spread[i];
        const float value_5 = pick_56 - pick_58;
        const float pick_68 = is_so(is_40) ? f32_min(1600.0f, f32_max(0.0f, spread_1 + most_3 *
            (value_5 * value_5 - spread_1))) : spread_1;
        const float spread_2 = s->spread[i + 2];
        const float pick_69 = is_so(is_40) ? f32_min(1600.0f, f32_max(0.0f, spread_2 + most_4 *
            (pick_68 - spread_2))) : spread_2;
        const float spread_3 = s->spread[i + 4];
        const float pick_70 = is_so(is_40) ? f32_min(1600.0f, f32_max(0.0f, spread_3 + most_5 *
            (pick_69 - spread_3))) : spread_3;
        const float spread_4 = s->spread[i + 6];
        const float pick_71 = is_so(is_40) ? f32_min(1600.0f, f32_max(0.0f, spread_4 + most_6 *
            (pick_70 - spread_4))) : spread_4;
        const float spread_5 = s->spread[i + 8];
        const float pick_72 = is_so(is_40) ? f32_min(1600.0f, f32_max(0.0f, spread_5 + most_7 *
            (pick_71 - spread_5))) : spread_5;
        const bool is_41 = is_40 && (s->last_usable[i] != 0);
        const float roughness_1 = s->roughness[i];
        const float value_6 = pick_56 - last_value_1;
        const float pick_73 = is_so(is_41) ? f32_min(40.0f, f32_max(0.0f, roughness_1 + most_3 *
            ((is_so(value_6 < 0.0f) ? (-value_6) : value_6) - roughness_1))) : roughness_1;
        const float roughness_2 = s->roughness[i + 2];
        const float pick_74 = is_so(is_41) ? f32_min(40.0f, f32_max(0.0f, roughness_2 + most_4 *
            (pick_73 - roughness_2))) : roughness_2;
        const float roughness_3 = s->roughness[i + 4];
        const float pick_75 = is_so(is_41) ? f32_min(40.0f, f32_max(0.0f, roughness_3 + most_5 *
            (pick_74 - roughness_3))) : roughness_3;
        const float roughness_4 = s->roughness[i + 6];
        const float pick_76 = is_so(is_41) ? f32_min(40.0f, f32_max(0.0f, roughness_4 + most_6 *
            (pick_75 - roughness_4))) : roughness_4;
        const float roughness_5 = s->roughness[i + 8];
        const float pick_77 = is_so(is_41) ? f32_min(40.0f, f32_max(0.0f, roughness_5 + most_7 *
            (pick_76 - roughness_5))) : roughness_5;
        const float row_6 = pick_56 - pick_58;
        const float row_7 = pick_58 - pick_61;
        scratch.f[most_1 + i] = most_2;
        scratch.f[pick_24 + i] = pick_50;
        scratch.i[pick_25 + i] = pick_51;
        scratch.i[pick_26 + i] = pick_53;
        scratch.b[is_7 + i] = (uint8_t)is_34;
        scratch.b[is_6 + i] = (uint8_t)is_35;
        scratch.b[is_5 + i] = (uint8_t)is_36;
        scratch.b[is_4 + i] = (uint8_t)is_38;
        scratch.b[is_27 + i] = (uint8_t)is_40;
        scratch.b[is_2 + i] = (uint8_t)is_40;
        scratch.i[pick_27 + i] = pick_54;
        scratch.i[pick_28 + i] = pick_55;
        scratch.i[pick_6 + i] = pick_55;
        scratch.f[pick_29 + i] = pick_57;
        scratch.f[pick_30 + i] = pick_58;
        scratch.f[row_3 + i] = pick_58;
        scratch.f[pick_31 + i] = pick_59;
        scratch.f[row_3 + i + 2] = pick_59;
        scratch.f[pick_32 + i] = pick_60;
        scratch.f[row_3 + i + 4] = pick_60;
        scratch.f[pick_33 + i] = pick_61;
        scratch.f[row_3 + i + 6] = pick_61;
        scratch.f[pick_34 + i] = pick_62;
        scratch.f[row_3 + i + 8] = pick_62;
        scratch.f[pick_35 + i] = pick_63;
        scratch.f[row_3 + i + 10] = pick_63;
        scratch.f[pick_36 + i] = pick_64;
        scratch.f[row_3 + i + 12] = pick_64;
        scratch.f[pick_37 + i] = pick_65;
        scratch.f[row_3 + i + 14] = pick_65;
        scratch.f[pick_38 + i] = pick_66;
        scratch.f[row_3 + i + 16] = pick_66;
        scratch.f[pick_39 + i] = pick_67;
        scratch.f[row_3 + i + 18] = pick_67;
        scratch.f[pick_40 + i] = pick_68;
        scratch.f[row_3 + i + 20] = pick_68;
        scratch.f[pick_41 + i] = pick_69;
        scratch.f[row_3 + i + 22] = pick_69;
        scratch.f[pick_42 + i] = pick_70;
        scratch.f[row_3 + i + 24] = pick_70;
        scratch.f[pick_43 + i] = pick_71;
        scratch.f[row_3 + i + 26] = pick_71;
        scratch.f[pick_44 + i] = pick_72;
        scratch.f[row_3 + i + 28] = pick_72;
        scratch.f[pick_45 + i] = pick_73;
        scratch.f[row_3 + i + 30] = pick_73;
        scratch.f[pick_46 + i] = pick_74;
        scratch.f[row_3 + i + 32] = pick_74;
        scratch.f[pick_47 + i] = pick_75;
        scratch.f[row_3 + i + 34] = pick_75;
        scratch.f[pick_48 + i] = pick_76;
        scratch.f[row_3 + i + 36] = pick_76;
        scratch.f[pick_49 + i] = pick_77;
        scratch.f[row_3 + i + 38] = pick_77;
        scratch.f[row_1 + i] = row_6;
        scratch.f[row_1 + i + 2] = row_7;
        scratch.f[row_1 + i + 4] = pick_61;
    }
    /* le */
    int32_t total_5 = -2147483647 - 1;
    /* min */
    int32_t total_6 = -2147483647 - 1;
    for (int32_t i = 0; i < 2; i++) {
        const int32_t pick_78 = scratch.i[pick_6 + i];
        total_5 = i32_max(total_5, pick_78);
        total_6 = i32_max(total_6, pick_78);
    }
    const bool is_42 = 48 <= total_5;
    const int32_t least_6 = i32_min(128, total_6);
    /* max */
    const int32_t most_8 = i32_max(48, least_6 - 16);
    /* and[2] to scratch row_2, scratch row_2, scratch row_2, scratch is_1 */
    for (int32_t i = 0; i < 2; i++) {
        const bool is_43 = scratch.b[is_2 + i] != 0;
        const int32_t pick_80 = scratch.i[pick_6 + i];
        const bool is_44 = is_43 && (most_8 <= pick_80);
        scratch.b[row_2 + i] = (uint8_t)is_44;
        scratch.b[row_2 + i + 2] = (uint8_t)is_44;
        scratch.b[row_2 + i + 4] = (uint8_t)is_44;
        scratch.b[is_1 + i] = (uint8_t)is_44;
    }
    /* each to scratch each_1 */
    for (int32_t i = 0; i < 2; i++) {
        /* gather[20] to scratch each_1 */
        for (int32_t j = 0; j < 20; j++) {
            scratch.f[each_1 + 20 * i + j] = scratch.f[row_3 + i + 2 * j];
        }
    }
    /* where[2, 20] to scratch pick_5 */
    for (int32_t i = 0; i < 2; i++) {
        const bool is_45 = scratch.b[is_1 + i] != 0;
        for (int32_t j = 0; j < 20; j++) {
            const float drift_1 = s->drift[20 * i + j];
            const float pick_81 = is_so(is_45) ? f32_min(30000.0f, f32_max(-30000.0f,
                scratch.f[each_1 + 20 * i + j] - p->own_centre[20 * i + j] - drift_1)) : 0.0f;
            scratch.f[pick_5 + 20 * i + j] = pick_81;
        }
    }
    /* reduce[2, 20] to scratch total_3 */
    for (int32_t i = 0; i < 2; i++) {
        for (int32_t j = 0; j < 20; j++) {
            float total_7 = -0.0f;
            for (int32_t k = 0; k < 20; k++) {
                const float pick_82 = scratch.f[pick_5 + 20 * i + k];
                total_7 = total_7 + p->own_whiten[400 * i + 20 * j + k] * pick_82;
            }
            scratch.f[total_3 + 20 * i + j] = total_7;
        }
    }
    /* where[3, 2] to scratch pick_3 */
    for (int32_t i = 0; i < 3; i++) {
        for (int32_t j = 0; j < 2; j++) {
            const bool value_7 = scratch.b[row_2 + 2 * i + j] != 0;
            const float drift_2_1 = s->drift_2[2 * i + j];
            const float pick_83 = is_so(value_7) ? f32_min(30000.0f, f32_max(-30000.0f,
                scratch.f[row_1 + 2 * i + j] - p->together_centre[2 * i + j] - drift_2_1)) : 0.0f;
            scratch.f[pick_3 + 2 * i + j] = pick_83;
        }
    }
    /* reduce, div[3, 2] to scratch total_2, scratch ratio_1 */
    for (int32_t i = 0; i < 3; i++) {
        for (int32_t j = 0; j < 2; j++) {
            float total_8 = -0.0f;
            for (int32_t k = 0; k < 2; k++) {
                const float together_whiten_1 = p->together_whiten[4 * i + 2 * j + k];
                const float pick_84 = scratch.f[pick_3 + 2 * i + k];
                total_8 = total_8 + together_whiten_1 * pick_84;
            }
            const float ratio_2_1 = s->ratio_2[2 * i + j];
            const float ratio_6 = f32_div(total_8, ratio_2_1);
            scratch.f[total_2 + 2 * i + j] = total_8;
            scratch.f[ratio_1 + 2 * i + j] = ratio_6;
        }
    }
    /* reduce[3, 2] to scratch total_1 */
    for (int32_t i = 0; i < 3; i++) {
        for (int32_t j = 0; j < 2; j++) {
            float total_9 = -0.0f;
            for (int32_t k = 0; k < 2; k++) {
                const float together_whiten_2 = p->together_whiten[4 * i + j + 2 * k];
                const float ratio_7 = scratch.f[ratio_1 + 2 * i + k];
                total_9 = total_9 + together_whiten_2 * ratio_7;
            }
            scratch.f[total_1 + 2 * i + j] = total_9;
        }
    }
    /* where, where, mul[3] to state mean_distance_2, scratch pick_2, scratch product_2 */
    const float together_pace_1 = p->together_pace;
    for (int32_t i = 0; i < 3; i++) {
        const float mean_distance_2_1 = s->mean_distance_2[i];
        float total_10 = -0.0f;
        for (int32_t j = 0; j < 2; j++) {
            const float total_11 = scratch.f[total_2 + 2 * i + j];
            const float ratio_8 = scratch.f[ratio_1 + 2 * i + j];
            total_10 = total_10 + total_11 * ratio_8;
        }
        const float least_7 = f32_min(0x1.1c3794p+53f, f32_max(0.0f, total_10));
        float total_12 = -0.0f;
        for (int32_t j = 0; j < 2; j++) {
            const bool value_8 = scratch.b[row_2 + 2 * i + j] != 0;
            const float total_13 = scratch.f[total_1 + 2 * i + j];
            total_12 = total_12 + (is_so(value_8) ? 0.0f : f32_div(total_13 * total_13,
                p->together_precision[2 * i + j]));
        }
        const float ratio_9 = f32_div(f32_min(0x1.1c3794p+53f, f32_max(0.0f, least_7 - total_12)),
            f32_max(0x1p-100f, least_7));
        const float together_gain_1 = p->together_gain[i];
        const float product_5 = least_7 * ratio_9 * together_gain_1;
        const float pick_85 = is_so(is_42) ? f32_min(0x1.e848p+19f, f32_max(0x1.0624dep-10f,
            mean_distance_2_1 + together_pace_1 * (f32_min(mean_distance_2_1 * 5.0f, product_5) -
            mean_distance_2_1))) : mean_distance_2_1;
        const float product_6 = mean_distance_2_1 * 3.0f;
        const float pick_86 = is_so(is_42) ? together_pace_1 * (is_so(product_5 <= product_6) ? 1.0f
            : f32_div(product_6, f32_max(0x1.0c6f7ap-20f, product_5))) : 0.0f;
        const float product_7 = ratio_9 * together_gain_1;
        s->mean_distance_2[i] = pick_85;
        scratch.f[pick_2 + i] = pick_86;
        scratch.f[product_2 + i] = product_7;
    }
    /* min[3, 2] to state drift_2 */
    for (int32_t i = 0; i < 3; i++) {
        const float value_9 = scratch.f[pick_2 + i];
        for (int32_t j = 0; j < 2; j++) {
            const float drift_2_2 = s->drift_2[2 * i + j];
            const float pick_87 = scratch.f[pick_3 + 2 * i + j];
            s->drift_2[2 * i + j] = f32_min(10000.0f, f32_max(-10000.0f, drift_2_2 + value_9 *
                pick_87));
        }
    }
    /* where[3, 2] to state ratio_2 */
    for (int32_t i = 0; i < 3; i++) {
        int32_t total_14 = 2147483647;
        for (int32_t j = 0; j < 2; j++) {
            const bool value_10 = scratch.b[row_2 + 2 * i + j] != 0;
            total_14 = i32_min(total_14, (int32_t)value_10);
        }
        const float value_11 = scratch.f[pick_2 + i];
        const bool value_12 = total_14 == 1;
        for (int32_t j = 0; j < 2; j++) {
            const float ratio_2_2 = s->ratio_2[2 * i + j];
            const float total_15 = scratch.f[total_2 + 2 * i + j];
            s->ratio_2[2 * i + j] = is_so(value_12) ? f32_min(0x1.e848p+19f, f32_max(0.25f,
                ratio_2_2 + value_11 * (total_15 * total_15 - ratio_2_2))) : ratio_2_2;
        }
    }
    /* lt */
    const int32_t trouble_left_1 = s->trouble_left;
    const bool is_46 = 0 < trouble_left_1;
    /* min */
    const float least_8 = f32_min(8.0f, f32_max(0.0f, s->tokens + p->alarm_refill));
    /* le */
    const bool is_47 = 1.0f <= least_8;
    /* mul, min[2] to scratch product_1, scratch least_2 */
    for (int32_t i = 0; i < 2; i++) {
        float total_16 = -0.0f;
        for (int32_t j = 0; j < 3; j++) {
            const float pick_88 = scratch.f[pick_3 + i + 2 * j];
            const float total_17 = scratch.f[total_1 + i + 2 * j];
            total_16 = total_16 + pick_88 * total_17 * scratch.f[product_2 + j] * 1.0f;
        }
        const float product_8 = total_16 * 0x1.555556p-2f;
        const float least_9 = f32_min(0x1.93e594p+99f, f32_max(0.0f, product_8));
        scratch.f[product_1 + i] = product_8;
        scratch.f[least_2 + i] = least_9;
    }
    /* mul */
    float total_18 = -0.0f;
    for (int32_t i = 0; i < 2; i++) {
        const float product_9 = scratch.f[product_1 + i];
        total_18 = total_18 + product_9;
    }
    const int32_t value_13 = f32_bits(f32_min(0x1.fffffep+127f, f32_max(0x1p-126f,
        f32_min(0x1.1c3794p+53f, f32_max(1.0f, f32_min(0x1.1c3794p+53f, f32_max(0.0f, total_18)) +
        1.0f)))));
    const int32_t value_14 = value_13 & 8388607;
    const bool is_48 = 3474675 < value_14;
    const float value_15 = f32_of_bits((value_13 & 8388607) | 1065353216);
    const float pick_89 = is_so(is_48) ? value_15 * 0.5f : value_15;
    const float ratio_10 = f32_div(pick_89 - 1.0f, pick_89 + 1.0f);
    const float product_10 = ratio_10 * ratio_10;
    const float product_11 = ratio_10 * ((((0x1.484b14p-2f * product_10 + 0x1.a61762p-2f) *
        product_10 + 0x1.2776c6p-1f) * product_10 + 0x1.ec709ep-1f) * product_10 + 0x1.715476p+1f);
    const float product_12 = ((float)(i32_shr(value_13, 23) - 127 + (int32_t)is_48) + product_11) *
        0x1.62e43p-1f;
    /* max */
    float total_19 = -0.0f;
    for (int32_t i = 0; i < 2; i++) {
        const float least_10 = scratch.f[least_2 + i];
        total_19 = total_19 + least_10;
    }
    const float most_9 = f32_max(0x1p-100f, total_19);
    /* where, where, mul, min[2] to state mean_distance, scratch pick_4, scratch produc */
    const float own_pace_1 = p->own_pace;
    for (int32_t i = 0; i < 2; i++) {
        const float mean_distance_1 = s->mean_distance[i];
        float total_20 = -0.0f;
        for (int32_t j = 0; j < 20; j++) {
            const float total_21 = scratch.f[total_3 + 20 * i + j];
            const float ratio_11 = s->ratio[20 * i + j];
            total_20 = total_20 + total_21 * f32_div(total_21, ratio_11);
        }
        const float product_13 = f32_min(0x1.1c3794p+53f, f32_max(0.0f, total_20)) * 1.0f *
            p->own_gain[i];
        const float pick_91 = is_so(is_42) ? f32_min(0x1.e848p+19f, f32_max(0x1.0624dep-10f,
            mean_distance_1 + own_pace_1 * (f32_min(mean_distance_1 * 5.0f, product_13) -
            mean_distance_1))) : mean_distance_1;
        const float product_14 = mean_distance_1 * 3.0f;
        const float pick_92 = is_so(is_42) ? own_pace_1 * (is_so(product_13 <= product_14) ? 1.0f :
            f32_div(product_14, f32_max(0x1.0c6f7ap-20f, product_13))) : 0.0f;
        const int32_t value_16 = f32_bits(f32_min(0x1.fffffep+127f, f32_max(0x1p-126f,
            f32_min(0x1.1c3794p+53f, f32_max(1.0f, product_13 + 1.0f)))));
        const int32_t value_17 = value_16 & 8388607;
        const bool is_49 = 3474675 < value_17;
        const float value_18 = f32_of_bits((value_16 & 8388607) | 1065353216);
        const float pick_93 = is_so(is_49) ? value_18 * 0.5f : value_18;
        const float ratio_12 = f32_div(pick_93 - 1.0f, pick_93 + 1.0f);
        const float product_15 = ratio_12 * ratio_12;
        const float product_16 = ratio_12 * ((((0x1.484b14p-2f * product_15 + 0x1.a61762p-2f) *
            product_15 + 0x1.2776c6p-1f) * product_15 + 0x1.ec709ep-1f) * product_15 +
            0x1.715476p+1f);
        const float product_17 = ((float)(i32_shr(value_16, 23) - 127 + (int32_t)is_49) +
            product_16) * 0x1.62e43p-1f * 0.25f;
        const float least_11 = scratch.f[least_2 + i];
        const float least_12 = f32_min(0x1.93e594p+99f, f32_max(0.0f, product_17 + f32_div(least_11,
            most_9) * 0x1.ffff8p-1f * product_12));
        scratch.f[pick_90 + i] = pick_91;
        scratch.f[pick_4 + i] = pick_92;
        scratch.f[product_3 + i] = product_17;
        scratch.f[least_1 + i] = least_12;
    }
    /* min[2, 20] to state drift */
    for (int32_t i = 0; i < 2; i++) {
        const float value_19 = scratch.f[pick_4 + i];
        for (int32_t j = 0; j < 20; j++) {
            const float drift_2 = s->drift[20 * i + j];
            const float pick_94 = scratch.f[pick_5 + 20 * i + j];
            s->drift[20 * i + j] = f32_min(10000.0f, f32_max(-10000.0f, drift_2 + value_19 *
                pick_94));
        }
    }
    /* where[2, 20] to state ratio */
    for (int32_t i = 0; i < 2; i++) {
        const bool is_50 = scratch.b[is_1 + i] != 0;
        const float value_20 = scratch.f[pick_4 + i];
        for (int32_t j = 0; j < 20; j++) {
            const float ratio_13 = s->ratio[20 * i + j];
            const float total_22 = scratch.f[total_3 + 20 * i + j];
            s->ratio[20 * i + j] = is_so(is_50) ? f32_min(0x1.e848p+19f, f32_max(0.25f, ratio_13 +
                value_20 * (total_22 * total_22 - ratio_13))) : ratio_13;
        }
    }
    /* where to out score */
    float total_23 = -0.0f;
    for (int32_t i = 0; i < 2; i++) {
        const float product_18 = scratch.f[product_3 + i];
        total_23 = total_23 + product_18;
    }
    const float pick_95 = is_so(is_42) ? f32_div(total_23 + product_12, p->threshold) *
        ((float)least_6 * 0x1p-7f) : 0.0f;
    out->score = pick_95;
    /* le */
    int32_t total_24 = 0;
    for (int32_t i = 0; i < 2; i++) {
        const bool is_51 = scratch.b[is_9 + i] != 0;
        total_24 = total_24 + (int32_t)is_51;
    }
    const bool is_52 = 1.0f <= (is_so(0 < total_24) ? f32_min(0x1.ff8p-1f, pick_95) : pick_95);
    /* where to state over */
    const int32_t pick_96 = is_52 ? 1 : 0;
    /* and */
    const bool is_53 = is_52 && (is_46 || (pick_96 == 1));
    /* where to state trouble_left */
    const int32_t pick_97 = is_53 ? 16 : i32_max(0, trouble_left_1 - 1);
    /* and */
    const bool is_54 = is_53 && !is_46;
    /* min to state tokens */
    const float least_13 = f32_min(8.0f, f32_max(0.0f, least_8 - (float)(int32_t)(is_54 && is_47)));
    /* where to state told */
    const bool pick_98 = is_54 ? is_47 : (s->told != 0);
    /* where to state held_back, out held_back */
    const int32_t held_back_1 = s->held_back;
    const int32_t pick_99 = (is_54 && !is_47) ? i32_min(65536, held_back_1 + 1) : held_back_1;
    out->held_back = pick_99;
    /* and to out alarm */
    out->alarm = (uint8_t)(pick_98 && (0 < pick_97));
    /* max */
    float total_25 = -0.0f;
    for (int32_t i = 0; i < 2; i++) {
        const float least_14 = scratch.f[least_1 + i];
        total_25 = total_25 + least_14;
    }
    const float most_10 = f32_max(0x1p-100f, total_25);
    /* mul[2] to out share */
    for (int32_t i = 0; i < 2; i++) {
        const float least_15 = scratch.f[least_1 + i];
        out->share[i] = f32_div(least_15, most_10) * 0x1.ffff8p-1f;
    }
    /* where, and, where, min, min, where[2] to state held, scratch pick_8, scratch is_ */
    for (int32_t i = 0; i < 2; i++) {
        const bool is_55 = scratch.b[is_4 + i] != 0;
        const float least_18 = scratch.f[least_3 + i];
        const float pick_102 = is_so(is_55) ? least_18 : s->held[i];
        const float quality_follows_2 = p->quality_follows[i];
        const bool is_56 = quality_follows_2 == 0.0f;
        const int32_t quality_sibling_2 = p->quality_sibling[i];
        const bool is_57 = scratch.b[is_4 + quality_sibling_2] != 0;
        const float least_19 = scratch.f[least_3 + quality_sibling_2];
        const float one_3 = s->one[quality_sibling_2];
        const bool is_58 = is_55 && (is_56 || (is_57 && !(least_19 == one_3)));
        const int32_t levels_seen_1 = s->levels_seen[i];
        const int32_t pick_103 = is_58 ? i32_min(65536, levels_seen_1 + 1) : levels_seen_1;
        const float own_fast_1 = s->own_fast[i];
        const float most_11 = f32_max(-0x1.7d784p+26f, is_so(is_55) ? own_fast_1 +
            f32_max(0x1.c71c72p-3f, f32_div(1.0f, f32_max(1.0f, (float)pick_103))) * (pick_102 -
            own_fast_1) : own_fast_1);
        const float least_20 = f32_min(0x1.7d784p+26f, most_11);
        const float own_slow_1 = s->own_slow[i];
        const float most_12 = f32_max(-0x1.7d784p+26f, is_so(is_55) ? own_slow_1 +
            f32_max(0x1.fe01fep-8f, f32_div(1.0f, f32_max(1.0f, (float)pick_103))) * (pick_102 -
            own_slow_1) : own_slow_1);
        const float least_21 = f32_min(0x1.7d784p+26f, most_12);
        const float value_21 = least_20 - least_21;
        const float pick_104 = is_so(value_21 < 0.0f) ? (-value_21) : value_21;
        scratch.f[pick_100 + i] = pick_102;
        scratch.f[pick_8 + i] = pick_102;
        scratch.b[is_3 + i] = (uint8_t)is_58;
        scratch.i[pick_101 + i] = pick_103;
        scratch.i[pick_7 + i] = pick_103;
        scratch.f[least_16 + i] = least_20;
        scratch.f[least_17 + i] = least_21;
        scratch.f[pick_1 + i] = pick_104;
        s->held[i] = scratch.f[pick_100 + i];
        s->levels_seen[i] = scratch.i[pick_101 + i];
        s->own_fast[i] = scratch.f[least_16 + i];
        s->own_slow[i] = scratch.f[least_17 + i];
    }
    /* min, where, min, min, min, lt, lt, min, min, where, lt, where, where[2] to state */
    for (int32_t i = 0; i < 2; i++) {
        const float losses_1 = s->losses[i];
        const bool is_62 = scratch.b[is_13 + i] != 0;
        const float value_22 = losses_1 + ((float)(int32_t)(is_62 && !(s->lost_before[i] != 0)) -
            losses_1) * 0x1.555556p-5f;
        const float least_28 = f32_min(1.0f, f32_max(0.0f, value_22));
        const bool is_63 = scratch.b[is_11 + i] != 0;
        const int32_t taken_2 = s->taken[i];
        const bool is_64 = 3 <= taken_2;
        const float rough_1 = s->rough[i];
        const bool is_65 = scratch.b[is_9 + i] != 0;
        const float quality_rough_1 = p->quality_rough[i];
        const float least_29 = scratch.f[least_3 + i];
        const float one_4 = s->one[i];
        const float two_3 = s->two[i];
        const float value_23 = least_29 - one_4 * 2.0f + two_3;
        const float pick_107 = is_so(is_65) ? f32_min(0x1.dcd65p+29f, f32_max(0.0f, quality_rough_1
            * 2.0f)) : f32_min(0x1.dcd65p+29f, f32_max(0.0f, is_so(value_23 < 0.0f) ? (-value_23) :
            value_23));
        const float pick_108 = is_so(is_63 && is_64) ? f32_min(0x1.dcd65p+29f, f32_max(0.0f, rough_1
            + (pick_107 - rough_1) * 0x1.e1e1e2p-4f)) : rough_1;
        const bool is_66 = scratch.b[is_10 + i] != 0;
        const float most_13 = scratch.f[most_1 + i];
        const float value_24 = least_29 - most_13;
        const float pick_109 = is_so(is_66) ? (is_so(value_24 < 0.0f) ? (-value_24) : value_24) :
            s->stepped[i] * 0x1.fae148p-1f;
        const float least_30 = f32_min(0x1.dcd65p+29f, f32_max(0.0f, pick_109));
        const bool is_67 = scratch.b[is_3 + i] != 0;
        const float fast_1 = s->fast[i];
        const int32_t pick_110 = scratch.i[pick_7 + i];
        const float pick_111 = scratch.f[pick_8 + i];
        const float quality_follows_3 = p->quality_follows[i];
        const int32_t quality_sibling_3 = p->quality_sibling[i];
        const float pick_112 = scratch.f[pick_8 + quality_sibling_3];
        const float least_31 = f32_min(0x1.7d784p+26f, f32_max(-0x1.7d784p+26f, pick_111 -
            quality_follows_3 * pick_112));
        const float most_14 = f32_max(-0x1.7d784p+26f, is_so(is_67) ? fast_1 +
            f32_max(0x1.c71c72p-3f, f32_div(1.0f, f32_max(1.0f, (float)pick_110))) * (least_31 -
            fast_1) : fast_1);
        const float least_32 = f32_min(0x1.7d784p+26f, most_14);
        const float slow_1 = s->slow[i];
        const float most_15 = f32_max(-0x1.7d784p+26f, is_so(is_67) ? slow_1 +
            f32_max(0x1.f81f82p-6f, f32_div(1.0f, f32_max(1.0f, (float)pick_110))) * (least_31 -
            slow_1) : slow_1);
        const float least_33 = f32_min(0x1.7d784p+26f, most_15);
        const float quality_fast_1 = p->quality_fast[i];
        const float quality_middle_1 = p->quality_middle[i];
        const float value_25 = least_32 - quality_middle_1;
        const float pick_113 = is_so(value_25 < 0.0f) ? (-value_25) : value_25;
        const bool is_68 = (is_so(s->fast_out[i] != 0) ? quality_fast_1 * 0x1.666666p-1f :
            quality_fast_1) < pick_113;
        const float quality_slow_1 = p->quality_slow[i];
        const float value_26 = least_33 - quality_middle_1;
        const bool is_69 = (is_so(s->slow_out[i] != 0) ? quality_slow_1 * 0x1.666666p-1f :
            quality_slow_1) < (is_so(value_26 < 0.0f) ? (-value_26) : value_26);
        const float between_1 = s->between[i];
        const float most_16 = f32_max(-0x1.7d784p+26f, is_so(is_67) ? between_1 +
            f32_max(0x1.47ae14p-4f, f32_div(1.0f, f32_max(1.0f, (float)pick_110))) * (least_31 -
            between_1) : between_1);
        const float least_34 = f32_min(0x1.7d784p+26f, most_16);
        const float value_27 = least_32 - least_34;
        const float most_17 = f32_max(is_so(value_27 < 0.0f) ? (-value_27) : value_27, s->apart[i] *
            0x1.e147aep-1f);
        const float least_35 = f32_min(0x1.dcd65p+29f, f32_max(0.0f, most_17));
        const bool is_70 = ((is_68 || is_69) && is_67) && (16 <= pick_110);
        const int32_t shape_1 = s->shape[i];
        const int32_t pick_114 = is_70 ? ((0 < shape_1) ? shape_1 : (((pick_113 * 0.5f <= pick_109)
            || (pick_113 * 0.5f <= most_17)) ? 7 : 8)) : 0;
        const bool is_71 = (is_so(s->noisy[i] != 0) ? quality_rough_1 * 0x1.666666p-1f :
            quality_rough_1) < pick_108;
        const int32_t pick_115 = scratch.i[pick_9 + i];
        const bool is_72 = scratch.b[is_5 + i] != 0;
        const bool is_73 = scratch.b[is_8 + i] != 0;
        const bool is_74 = scratch.b[is_7 + i] != 0;
        const bool is_75 = quality_follows_3 == 0.0f;
        const float pick_116 = scratch.f[pick_1 + quality_sibling_3];
        const float pick_117 = scratch.f[pick_1 + i];
        const bool is_76 = (is_70 && !is_75) && (pick_116 <= pick_117);
        const bool is_77 = scratch.b[is_6 + i] != 0;
        const int32_t pick_118 = (is_75 || is_76) ? pick_114 : 0;
        const int32_t pick_119 = is_72 ? 9 : ((p->quality_broken[i] < value_22) ? 5 : ((is_73 &&
            !is_74) ? 4 : (is_76 ? (is_77 ? 9 : pick_118) : 0)));
        const int32_t pick_120 = (((pick_115 == 0) || (pick_115 == 2)) && (0 < pick_119)) ? pick_119
            : pick_115;
        const int32_t pick_121 = is_77 ? 9 : (is_71 ? 6 : pick_118);
        scratch.f[least_22 + i] = least_28;
        scratch.f[pick_105 + i] = pick_108;
        scratch.f[least_23 + i] = least_30;
        scratch.f[least_24 + i] = least_32;
        scratch.f[least_25 + i] = least_33;
        scratch.b[is_59 + i] = (uint8_t)is_68;
        scratch.b[is_60 + i] = (uint8_t)is_69;
        scratch.f[least_26 + i] = least_34;
        scratch.f[least_27 + i] = least_35;
        scratch.i[pick_106 + i] = pick_114;
        scratch.b[is_61 + i] = (uint8_t)is_71;
        out->fault[i] = pick_120;
        out->looks[i] = pick_121;
    }
    /* what was computed from the old values is written now */
    for (int32_t i = 0; i < 2; i++) {
        s->lost_before[i] = (uint8_t)(scratch.b[is_14 + i] != 0);
    }
    for (int32_t i = 0; i < 2; i++) {
        s->one[i] = scratch.f[pick_10 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->two[i] = scratch.f[pick_11 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->three[i] = scratch.f[pick_12 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->taken[i] = scratch.i[pick_13 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->before[i] = scratch.f[pick_24 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->unit_left[i] = scratch.i[pick_25 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->unit[i] = scratch.i[pick_26 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->last_usable[i] = (uint8_t)(scratch.b[is_27 + i] != 0);
    }
    for (int32_t i = 0; i < 2; i++) {
        s->lost[i] = scratch.i[pick_27 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->seen[i] = scratch.i[pick_28 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->last_value[i] = scratch.f[pick_29 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->level[i] = scratch.f[pick_30 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->level[i + 2] = scratch.f[pick_31 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->level[i + 4] = scratch.f[pick_32 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->level[i + 6] = scratch.f[pick_33 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->level[i + 8] = scratch.f[pick_34 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->power[i] = scratch.f[pick_35 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->power[i + 2] = scratch.f[pick_36 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->power[i + 4] = scratch.f[pick_37 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->power[i + 6] = scratch.f[pick_38 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->power[i + 8] = scratch.f[pick_39 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->spread[i] = scratch.f[pick_40 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->spread[i + 2] = scratch.f[pick_41 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->spread[i + 4] = scratch.f[pick_42 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->spread[i + 6] = scratch.f[pick_43 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->spread[i + 8] = scratch.f[pick_44 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->roughness[i] = scratch.f[pick_45 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->roughness[i + 2] = scratch.f[pick_46 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->roughness[i + 4] = scratch.f[pick_47 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->roughness[i + 6] = scratch.f[pick_48 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->roughness[i + 8] = scratch.f[pick_49 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->mean_distance[i] = scratch.f[pick_90 + i];
    }
    s->over = pick_96;
    s->trouble_left = pick_97;
    s->tokens = least_13;
    s->told = (uint8_t)pick_98;
    s->held_back = pick_99;
    for (int32_t i = 0; i < 2; i++) {
        s->losses[i] = scratch.f[least_22 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->rough[i] = scratch.f[pick_105 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->stepped[i] = scratch.f[least_23 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->fast[i] = scratch.f[least_24 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->slow[i] = scratch.f[least_25 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->fast_out[i] = (uint8_t)(scratch.b[is_59 + i] != 0);
    }
    for (int32_t i = 0; i < 2; i++) {
        s->slow_out[i] = (uint8_t)(scratch.b[is_60 + i] != 0);
    }
    for (int32_t i = 0; i < 2; i++) {
        s->between[i] = scratch.f[least_26 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->apart[i] = scratch.f[least_27 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->shape[i] = scratch.i[pick_106 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->noisy[i] = (uint8_t)(scratch.b[is_61 + i] != 0);
    }
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
    s->tokens = 8.0f;
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
