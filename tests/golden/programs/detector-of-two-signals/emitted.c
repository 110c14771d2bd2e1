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

/* Every reading. */
static void p_every(p_state *s, const BIMETAL_FLASH p_params *p, const p_in *in, p_out *out)
{
    /* Scratch memory; what is not needed at the same time may share a place. */
    union {
        uint8_t b[360];
        float f[154];
        int32_t i[80];
    } scratch;
    enum { each_1 = 90, is_1 = 352, is_2 = 352, least_1 = 42, least_2 = 78, pick_1 = 148, pick_10 =
        0, pick_11 = 48, pick_12 = 50, pick_13 = 52, pick_14 = 54, pick_15 = 56, pick_16 = 58,
        pick_17 = 60, pick_18 = 62, pick_19 = 64, pick_2 = 42, pick_20 = 66, pick_21 = 68, pick_22 =
        70, pick_23 = 72, pick_24 = 74, pick_25 = 76, pick_3 = 44, pick_4 = 2, pick_5 = 78, pick_6 =
        80, pick_7 = 82, pick_8 = 84, pick_9 = 86, product_1 = 130, product_2 = 151, product_3 = 46,
        ratio_1 = 130, row_1 = 42, row_2 = 354, row_3 = 2, row_4 = 0, total_1 = 142, total_2 = 136,
        total_3 = 90 };
    /* x0 to scratch row_4 */
    scratch.f[row_4] = in->x0;
    /* x1 to scratch row_4 */
    scratch.f[row_4 + 1] = in->x1;
    /* lt */
    const int32_t trouble_left_1 = s->trouble_left;
    const bool is_3 = 0 < trouble_left_1;
    /* min */
    const float least_3 = f32_min(8.0f, f32_max(0.0f, s->tokens + p->alarm_refill));
    /* le */
    const bool is_4 = 1.0f <= least_3;
    /* where, where, where, and, where, where, where, where, where, where, where, where */
    for (int32_t i = 0; i < 2; i++) {
        const float row_5 = scratch.f[row_4 + i];
        const bool is_5 = row_5 == row_5;
        const float last_1 = s->last[i];
        const float pick_26 = is_so(is_5) ? row_5 : last_1;
        const int32_t repeats_1 = s->repeats[i];
        const int32_t pick_27 = is_5 ? ((row_5 == last_1) ? i32_min(16777216, repeats_1 + 1) : 1) :
            repeats_1;
        const int32_t pick_28 = !is_5 ? i32_min(16777216, s->silence[i] + 1) : 0;
        const bool is_6 = (p->sensor_low[i] <= row_5) && (row_5 <= p->sensor_high[i]);
        const bool is_7 = p->sensor_stuck_after[i] <= pick_27;
        const bool is_8 = is_6 && !is_7;
        const int32_t pick_29 = !is_8 ? i32_min(32, s->lost[i] + 1) : 0;
        const int32_t seen_1 = s->seen[i];
        const int32_t pick_30 = is_8 ? i32_min(65536, seen_1 + 1) : ((pick_29 == 32) ? 0 : seen_1);
        const float pick_31 = is_so(is_8) ? f32_min(20.0f, f32_max(-20.0f, f32_div(row_5 -
            p->usual_location[i], p->usual_scale[i]))) : 0.0f;
        const float last_value_1 = s->last_value[i];
        const float pick_32 = is_so(is_8) ? pick_31 : last_value_1;
        const float level_1 = s->level[i];
        const float ratio_2 = f32_div(1.0f, f32_max(1.0f, (float)pick_30));
        const float most_1 = f32_max(0x1.c71c72p-3f, ratio_2);
        const float pick_33 = is_so(is_8) ? f32_min(20.0f, f32_max(-20.0f, level_1 + most_1 *
            (pick_31 - level_1))) : level_1;
        const float level_2 = s->level[i + 2];
        const float most_2 = f32_max(0x1.e1e1e2p-4f, ratio_2);
        const float pick_34 = is_so(is_8) ? f32_min(20.0f, f32_max(-20.0f, level_2 + most_2 *
            (pick_33 - level_2))) : level_2;
        const float level_3 = s->level[i + 4];
        const float most_3 = f32_max(0x1.f07c2p-5f, ratio_2);
        const float pick_35 = is_so(is_8) ? f32_min(20.0f, f32_max(-20.0f, level_3 + most_3 *
            (pick_34 - level_3))) : level_3;
        const float level_4 = s->level[i + 6];
        const float most_4 = f32_max(0x1.f81f82p-6f, ratio_2);
        const float pick_36 = is_so(is_8) ? f32_min(20.0f, f32_max(-20.0f, level_4 + most_4 *
            (pick_35 - level_4))) : level_4;
        const float level_5 = s->level[i + 8];
        const float most_5 = f32_max(0x1.fc07fp-7f, ratio_2);
        const float pick_37 = is_so(is_8) ? f32_min(20.0f, f32_max(-20.0f, level_5 + most_5 *
            (pick_36 - level_5))) : level_5;
        const float power_1 = s->power[i];
        const float pick_38 = is_so(is_8) ? f32_min(400.0f, f32_max(0.0f, power_1 + most_1 *
            (pick_31 * pick_31 - power_1))) : power_1;
        const float power_2 = s->power[i + 2];
        const float pick_39 = is_so(is_8) ? f32_min(400.0f, f32_max(0.0f, power_2 + most_2 *
            (pick_38 - power_2))) : power_2;
        const float power_3 = s->power[i + 4];
        const float pick_40 = is_so(is_8) ? f32_min(400.0f, f32_max(0.0f, power_3 + most_3 *
            (pick_39 - power_3))) : power_3;
        const float power_4 = s->power[i + 6];
        const float pick_41 = is_so(is_8) ? f32_min(400.0f, f32_max(0.0f, power_4 + most_4 *
            (pick_40 - power_4))) : power_4;
        const float power_5 = s->power[i + 8];
        const float pick_42 = is_so(is_8) ? f32_min(400.0f, f32_max(0.0f, power_5 + most_5 *
            (pick_41 - power_5))) : power_5;
        const float spread_1 = s->spread[i];
        const float value_1 = pick_31 - pick_33;
        const float pick_43 = is_so(is_8) ? f32_min(1600.0f, f32_max(0.0f, spread_1 + most_1 *
            (value_1 * value_1 - spread_1))) : spread_1;
        const float spread_2 = s->spread[i + 2];
        const float pick_44 = is_so(is_8) ? f32_min(1600.0f, f32_max(0.0f, spread_2 + most_2 *
            (pick_43 - spread_2))) : spread_2;
        const float spread_3 = s->spread[i + 4];
        const float pick_45 = is_so(is_8) ? f32_min(1600.0f, f32_max(0.0f, spread_3 + most_3 *
            (pick_44 - spread_3))) : spread_3;
        const float spread_4 = s->spread[i + 6];
        const float pick_46 = is_so(is_8) ? f32_min(1600.0f, f32_max(0.0f, spread_4 + most_4 *
            (pick_45 - spread_4))) : spread_4;
        const float spread_5 = s->spread[i + 8];
        const float pick_47 = is_so(is_8) ? f32_min(1600.0f, f32_max(0.0f, spread_5 + most_5 *
            (pick_46 - spread_5))) : spread_5;
        const bool is_9 = is_8 && (s->last_usable[i] != 0);
        const float roughness_1 = s->roughness[i];
        const float value_2 = pick_31 - last_value_1;
        const float pick_48 = is_so(is_9) ? f32_min(40.0f, f32_max(0.0f, roughness_1 + most_1 *
            ((is_so(value_2 < 0.0f) ? (-value_2) : value_2) - roughness_1))) : roughness_1;
        const float roughness_2 = s->roughness[i + 2];
        const float pick_49 = is_so(is_9) ? f32_min(40.0f, f32_max(0.0f, roughness_2 + most_2 *
            (pick_48 - roughness_2))) : roughness_2;
        const float roughness_3 = s->roughness[i + 4];
        const float pick_50 = is_so(is_9) ? f32_min(40.0f, f32_max(0.0f, roughness_3 + most_3 *
            (pick_49 - roughness_3))) : roughness_3;
        const float roughness_4 = s->roughness[i + 6];
        const float pick_51 = is_so(is_9) ? f32_min(40.0f, f32_max(0.0f, roughness_4 + most_4 *
            (pick_50 - roughness_4))) : roughness_4;
        const float roughness_5 = s->roughness[i + 8];
        const float pick_52 = is_so(is_9) ? f32_min(40.0f, f32_max(0.0f, roughness_5 + most_5 *
            (pick_51 - roughness_5))) : roughness_5;
        const float row_6 = pick_31 - pick_33;
        const float row_7 = pick_33 - pick_36;
        const int32_t pick_53 = (p->sensor_gone_after[i] <= pick_28) ? 1 : ((is_5 && !is_6) ? 2 :
            (is_7 ? 3 : 0));
        s->last[i] = f32_canonical(pick_26);
        s->repeats[i] = pick_27;
        s->silence[i] = pick_28;
        s->last_usable[i] = (uint8_t)is_8;
        scratch.b[is_2 + i] = (uint8_t)is_8;
        s->lost[i] = pick_29;
        s->seen[i] = pick_30;
        scratch.i[pick_5 + i] = pick_30;
        s->last_value[i] = pick_32;
        scratch.f[pick_6 + i] = pick_33;
        scratch.f[row_3 + i] = pick_33;
        scratch.f[pick_7 + i] = pick_34;
        scratch.f[row_3 + i + 2] = pick_34;
        scratch.f[pick_8 + i] = pick_35;
        scratch.f[row_3 + i + 4] = pick_35;
        scratch.f[pick_9 + i] = pick_36;
        scratch.f[row_3 + i + 6] = pick_36;
        scratch.f[pick_10 + i] = pick_37;
        scratch.f[row_3 + i + 8] = pick_37;
        scratch.f[pick_11 + i] = pick_38;
        scratch.f[row_3 + i + 10] = pick_38;
        scratch.f[pick_12 + i] = pick_39;
        scratch.f[row_3 + i + 12] = pick_39;
        scratch.f[pick_13 + i] = pick_40;
        scratch.f[row_3 + i + 14] = pick_40;
        scratch.f[pick_14 + i] = pick_41;
        scratch.f[row_3 + i + 16] = pick_41;
        scratch.f[pick_15 + i] = pick_42;
        scratch.f[row_3 + i + 18] = pick_42;
        scratch.f[pick_16 + i] = pick_43;
        scratch.f[row_3 + i + 20] = pick_43;
        scratch.f[pick_17 + i] = pick_44;
        scratch.f[row_3 + i + 22] = pick_44;
        scratch.f[pick_18 + i] = pick_45;
        scratch.f[row_3 + i + 24] = pick_45;
        scratch.f[pick_19 + i] = pick_46;
        scratch.f[row_3 + i + 26] = pick_46;
        scratch.f[pick_20 + i] = pick_47;
        scratch.f[row_3 + i + 28] = pick_47;
        scratch.f[pick_21 + i] = pick_48;
        scratch.f[row_3 + i + 30] = pick_48;
        scratch.f[pick_22 + i] = pick_49;
        scratch.f[row_3 + i + 32] = pick_49;
        scratch.f[pick_23 + i] = pick_50;
        scratch.f[row_3 + i + 34] = pick_50;
        scratch.f[pick_24 + i] = pick_51;
        scratch.f[row_3 + i + 36] = pick_51;
        scratch.f[pick_25 + i] = pick_52;
        scratch.f[row_3 + i + 38] = pick_52;
        scratch.f[row_1 + i] = row_6;
        scratch.f[row_1 + i + 2] = row_7;
        scratch.f[row_1 + i + 4] = pick_36;
        out->fault[i] = pick_53;
    }
    /* le */
    int32_t total_4 = -2147483647 - 1;
    /* min */
    int32_t total_5 = -2147483647 - 1;
    for (int32_t i = 0; i < 2; i++) {
        const int32_t pick_54 = scratch.i[pick_5 + i];
        total_4 = i32_max(total_4, pick_54);
        total_5 = i32_max(total_5, pick_54);
    }
    const bool is_10 = 48 <= total_4;
    const int32_t least_4 = i32_min(128, total_5);
    /* max */
    const int32_t most_6 = i32_max(48, least_4 - 16);
    /* and[2] to scratch row_2, scratch row_2, scratch row_2, scratch is_1 */
    for (int32_t i = 0; i < 2; i++) {
        const bool is_11 = scratch.b[is_2 + i] != 0;
        const int32_t pick_56 = scratch.i[pick_5 + i];
        const bool is_12 = is_11 && (most_6 <= pick_56);
        scratch.b[row_2 + i] = (uint8_t)is_12;
        scratch.b[row_2 + i + 2] = (uint8_t)is_12;
        scratch.b[row_2 + i + 4] = (uint8_t)is_12;
        scratch.b[is_1 + i] = (uint8_t)is_12;
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
        const bool is_13 = scratch.b[is_1 + i] != 0;
        for (int32_t j = 0; j < 20; j++) {
            const float drift_1 = s->drift[20 * i + j];
            const float pick_57 = is_so(is_13) ? f32_min(30000.0f, f32_max(-30000.0f,
                scratch.f[each_1 + 20 * i + j] - p->own_centre[20 * i + j] - drift_1)) : 0.0f;
            scratch.f[pick_4 + 20 * i + j] = pick_57;
        }
    }
    /* reduce[2, 20] to scratch total_3 */
    for (int32_t i = 0; i < 2; i++) {
        for (int32_t j = 0; j < 20; j++) {
            float total_6 = -0.0f;
            for (int32_t k = 0; k < 20; k++) {
                const float pick_58 = scratch.f[pick_4 + 20 * i + k];
                total_6 = total_6 + p->own_whiten[400 * i + 20 * j + k] * pick_58;
            }
            scratch.f[total_3 + 20 * i + j] = total_6;
        }
    }
    /* where[3, 2] to scratch pick_2 */
    for (int32_t i = 0; i < 3; i++) {
        for (int32_t j = 0; j < 2; j++) {
            const bool value_3 = scratch.b[row_2 + 2 * i + j] != 0;
            const float drift_2_1 = s->drift_2[2 * i + j];
            const float pick_59 = is_so(value_3) ? f32_min(30000.0f, f32_max(-30000.0f,
                scratch.f[row_1 + 2 * i + j] - p->together_centre[2 * i + j] - drift_2_1)) : 0.0f;
            scratch.f[pick_2 + 2 * i + j] = pick_59;
        }
    }
    /* reduce, div[3, 2] to scratch total_2, scratch ratio_1 */
    for (int32_t i = 0; i < 3; i++) {
        for (int32_t j = 0; j < 2; j++) {
            float total_7 = -0.0f;
            for (int32_t k = 0; k < 2; k++) {
                const float together_whiten_1 = p->together_whiten[4 * i + 2 * j + k];
                const float pick_60 = scratch.f[pick_2 + 2 * i + k];
                total_7 = total_7 + together_whiten_1 * pick_60;
            }
            const float ratio_2_1 = s->ratio_2[2 * i + j];
            const float ratio_3 = f32_div(total_7, ratio_2_1);
            scratch.f[total_2 + 2 * i + j] = total_7;
            scratch.f[ratio_1 + 2 * i + j] = ratio_3;
        }
    }
    /* reduce[3, 2] to scratch total_1 */
    for (int32_t i = 0; i < 3; i++) {
        for (int32_t j = 0; j < 2; j++) {
            float total_8 = -0.0f;
            for (int32_t k = 0; k < 2; k++) {
                const float together_whiten_2 = p->together_whiten[4 * i + j + 2 * k];
                const float ratio_4 = scratch.f[ratio_1 + 2 * i + k];
                total_8 = total_8 + together_whiten_2 * ratio_4;
            }
            scratch.f[total_1 + 2 * i + j] = total_8;
        }
    }
    /* where, where, mul[3] to state mean_distance_2, scratch pick_1, scratch product_2 */
    const float together_pace_1 = p->together_pace;
    for (int32_t i = 0; i < 3; i++) {
        const float mean_distance_2_1 = s->mean_distance_2[i];
        float total_9 = -0.0f;
        for (int32_t j = 0; j < 2; j++) {
            const float total_10 = scratch.f[total_2 + 2 * i + j];
            const float ratio_5 = scratch.f[ratio_1 + 2 * i + j];
            total_9 = total_9 + total_10 * ratio_5;
        }
        const float least_5 = f32_min(0x1.1c3794p+53f, f32_max(0.0f, total_9));
        float total_11 = -0.0f;
        for (int32_t j = 0; j < 2; j++) {
            const bool value_4 = scratch.b[row_2 + 2 * i + j] != 0;
            const float total_12 = scratch.f[total_1 + 2 * i + j];
            total_11 = total_11 + (is_so(value_4) ? 0.0f : f32_div(total_12 * total_12,
                p->together_precision[2 * i + j]));
        }
        const float ratio_6 = f32_div(f32_min(0x1.1c3794p+53f, f32_max(0.0f, least_5 - total_11)),
            f32_max(0x1p-100f, least_5));
        const float together_gain_1 = p->together_gain[i];
        const float product_5 = least_5 * ratio_6 * together_gain_1;
        const float pick_61 = is_so(is_10) ? f32_min(0x1.e848p+19f, f32_max(0x1.0624dep-10f,
            mean_distance_2_1 + together_pace_1 * (f32_min(mean_distance_2_1 * 5.0f, product_5) -
            mean_distance_2_1))) : mean_distance_2_1;
        const float product_6 = mean_distance_2_1 * 3.0f;
        const float pick_62 = is_so(is_10) ? together_pace_1 * (is_so(product_5 <= product_6) ? 1.0f
            : f32_div(product_6, f32_max(0x1.0c6f7ap-20f, product_5))) : 0.0f;
        const float product_7 = ratio_6 * together_gain_1;
        s->mean_distance_2[i] = pick_61;
        scratch.f[pick_1 + i] = pick_62;
        scratch.f[product_2 + i] = product_7;
    }
    /* min[3, 2] to state drift_2 */
    for (int32_t i = 0; i < 3; i++) {
        const float value_5 = scratch.f[pick_1 + i];
        for (int32_t j = 0; j < 2; j++) {
            const float drift_2_2 = s->drift_2[2 * i + j];
            const float pick_63 = scratch.f[pick_2 + 2 * i + j];
            s->drift_2[2 * i + j] = f32_min(10000.0f, f32_max(-10000.0f, drift_2_2 + value_5 *
                pick_63));
        }
    }
    /* where[3, 2] to state ratio_2 */
    for (int32_t i = 0; i < 3; i++) {
        int32_t total_13 = 2147483647;
        for (int32_t j = 0; j < 2; j++) {
            const bool value_6 = scratch.b[row_2 + 2 * i + j] != 0;
            total_13 = i32_min(total_13, (int32_t)value_6);
        }
        const float value_7 = scratch.f[pick_1 + i];
        const bool value_8 = total_13 == 1;
        for (int32_t j = 0; j < 2; j++) {
            const float ratio_2_2 = s->ratio_2[2 * i + j];
            const float total_14 = scratch.f[total_2 + 2 * i + j];
            s->ratio_2[2 * i + j] = is_so(value_8) ? f32_min(0x1.e848p+19f, f32_max(0.25f, ratio_2_2
                + value_7 * (total_14 * total_14 - ratio_2_2))) : ratio_2_2;
        }
    }
    /* mul, min[2] to scratch product_1, scratch least_2 */
    for (int32_t i = 0; i < 2; i++) {
        float total_15 = -0.0f;
        for (int32_t j = 0; j < 3; j++) {
            const float pick_64 = scratch.f[pick_2 + i + 2 * j];
            const float total_16 = scratch.f[total_1 + i + 2 * j];
            total_15 = total_15 + pick_64 * total_16 * scratch.f[product_2 + j] * 1.0f;
        }
        const float product_8 = total_15 * 0x1.555556p-2f;
        const float least_6 = f32_min(0x1.93e594p+99f, f32_max(0.0f, product_8));
        scratch.f[product_1 + i] = product_8;
        scratch.f[least_2 + i] = least_6;
    }
    /* mul */
    float total_17 = -0.0f;
    for (int32_t i = 0; i < 2; i++) {
        const float product_9 = scratch.f[product_1 + i];
        total_17 = total_17 + product_9;
    }
    const int32_t value_9 = f32_bits(f32_min(0x1.fffffep+127f, f32_max(0x1p-126f,
        f32_min(0x1.1c3794p+53f, f32_max(1.0f, f32_min(0x1.1c3794p+53f, f32_max(0.0f, total_17)) +
        1.0f)))));
    const int32_t value_10 = value_9 & 8388607;
    const bool is_14 = 3474675 < value_10;
    const float value_11 = f32_of_bits((value_9 & 8388607) | 1065353216);
    const float pick_65 = is_so(is_14) ? value_11 * 0.5f : value_11;
    const float ratio_7 = f32_div(pick_65 - 1.0f, pick_65 + 1.0f);
    const float product_10 = ratio_7 * ratio_7;
    const float product_11 = ratio_7 * ((((0x1.484b14p-2f * product_10 + 0x1.a61762p-2f) *
        product_10 + 0x1.2776c6p-1f) * product_10 + 0x1.ec709ep-1f) * product_10 + 0x1.715476p+1f);
    const float product_12 = ((float)(i32_shr(value_9, 23) - 127 + (int32_t)is_14) + product_11) *
        0x1.62e43p-1f;
    /* max */
    float total_18 = -0.0f;
    for (int32_t i = 0; i < 2; i++) {
        const float least_7 = scratch.f[least_2 + i];
        total_18 = total_18 + least_7;
    }
    const float most_7 = f32_max(0x1p-100f, total_18);
    /* where, where, mul, min[2] to state mean_distance, scratch pick_3, scratch produc */
    const float own_pace_1 = p->own_pace;
    for (int32_t i = 0; i < 2; i++) {
        const float mean_distance_1 = s->mean_distance[i];
        float total_19 = -0.0f;
        for (int32_t j = 0; j < 20; j++) {
            const float total_20 = scratch.f[total_3 + 20 * i + j];
            const float ratio_8 = s->ratio[20 * i + j];
            total_19 = total_19 + total_20 * f32_div(total_20, ratio_8);
        }
        const float product_13 = f32_min(0x1.1c3794p+53f, f32_max(0.0f, total_19)) * 1.0f *
            p->own_gain[i];
        const float pick_66 = is_so(is_10) ? f32_min(0x1.e848p+19f, f32_max(0x1.0624dep-10f,
            mean_distance_1 + own_pace_1 * (f32_min(mean_distance_1 * 5.0f, product_13) -
            mean_distance_1))) : mean_distance_1;
        const float product_14 = mean_distance_1 * 3.0f;
        const float pick_67 = is_so(is_10) ? own_pace_1 * (is_so(product_13 <= product_14) ? 1.0f :
            f32_div(product_14, f32_max(0x1.0c6f7ap-20f, product_13))) : 0.0f;
        const int32_t value_12 = f32_bits(f32_min(0x1.fffffep+127f, f32_max(0x1p-126f,
            f32_min(0x1.1c3794p+53f, f32_max(1.0f, product_13 + 1.0f)))));
        const int32_t value_13 = value_12 & 8388607;
        const bool is_15 = 3474675 < value_13;
        const float value_14 = f32_of_bits((value_12 & 8388607) | 1065353216);
        const float pick_68 = is_so(is_15) ? value_14 * 0.5f : value_14;
        const float ratio_9 = f32_div(pick_68 - 1.0f, pick_68 + 1.0f);
        const float product_15 = ratio_9 * ratio_9;
        const float product_16 = ratio_9 * ((((0x1.484b14p-2f * product_15 + 0x1.a61762p-2f) *
            product_15 + 0x1.2776c6p-1f) * product_15 + 0x1.ec709ep-1f) * product_15 +
            0x1.715476p+1f);
        const float product_17 = ((float)(i32_shr(value_12, 23) - 127 + (int32_t)is_15) +
            product_16) * 0x1.62e43p-1f * 0.25f;
        const float least_8 = scratch.f[least_2 + i];
        const float least_9 = f32_min(0x1.93e594p+99f, f32_max(0.0f, product_17 + f32_div(least_8,
            most_7) * 0x1.ffff8p-1f * product_12));
        s->mean_distance[i] = pick_66;
        scratch.f[pick_3 + i] = pick_67;
        scratch.f[product_3 + i] = product_17;
        scratch.f[least_1 + i] = least_9;
    }
    /* min[2, 20] to state drift */
    for (int32_t i = 0; i < 2; i++) {
        const float value_15 = scratch.f[pick_3 + i];
        for (int32_t j = 0; j < 20; j++) {
            const float drift_2 = s->drift[20 * i + j];
            const float pick_69 = scratch.f[pick_4 + 20 * i + j];
            s->drift[20 * i + j] = f32_min(10000.0f, f32_max(-10000.0f, drift_2 + value_15 *
                pick_69));
        }
    }
    /* where[2, 20] to state ratio */
    for (int32_t i = 0; i < 2; i++) {
        const bool is_16 = scratch.b[is_1 + i] != 0;
        const float value_16 = scratch.f[pick_3 + i];
        for (int32_t j = 0; j < 20; j++) {
            const float ratio_10 = s->ratio[20 * i + j];
            const float total_21 = scratch.f[total_3 + 20 * i + j];
            s->ratio[20 * i + j] = is_so(is_16) ? f32_min(0x1.e848p+19f, f32_max(0.25f, ratio_10 +
                value_16 * (total_21 * total_21 - ratio_10))) : ratio_10;
        }
    }
    /* where to out score */
    float total_22 = -0.0f;
    for (int32_t i = 0; i < 2; i++) {
        const float product_18 = scratch.f[product_3 + i];
        total_22 = total_22 + product_18;
    }
    const float pick_70 = is_so(is_10) ? f32_div(total_22 + product_12, p->threshold) *
        ((float)least_4 * 0x1p-7f) : 0.0f;
    out->score = pick_70;
    /* le */
    const bool is_17 = 1.0f <= pick_70;
    /* where to state over */
    const int32_t pick_71 = is_17 ? 1 : 0;
    /* and */
    const bool is_18 = is_17 && (is_3 || (pick_71 == 1));
    /* where to state trouble_left */
    const int32_t pick_72 = is_18 ? 16 : i32_max(0, trouble_left_1 - 1);
    /* and */
    const bool is_19 = is_18 && !is_3;
    /* min to state tokens */
    const float least_10 = f32_min(8.0f, f32_max(0.0f, least_3 - (float)(int32_t)(is_19 && is_4)));
    /* where to state told */
    const bool pick_73 = is_19 ? is_4 : (s->told != 0);
    /* where to state held_back, out held_back */
    const int32_t held_back_1 = s->held_back;
    const int32_t pick_74 = (is_19 && !is_4) ? i32_min(65536, held_back_1 + 1) : held_back_1;
    out->held_back = pick_74;
    /* and to out alarm */
    out->alarm = (uint8_t)(pick_73 && (0 < pick_72));
    /* max */
    float total_23 = -0.0f;
    for (int32_t i = 0; i < 2; i++) {
        const float least_11 = scratch.f[least_1 + i];
        total_23 = total_23 + least_11;
    }
    const float most_8 = f32_max(0x1p-100f, total_23);
    /* mul[2] to out share */
    for (int32_t i = 0; i < 2; i++) {
        const float least_12 = scratch.f[least_1 + i];
        out->share[i] = f32_div(least_12, most_8) * 0x1.ffff8p-1f;
    }
    /* what was computed from the old values is written now */
    for (int32_t i = 0; i < 2; i++) {
        s->level[i] = scratch.f[pick_6 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->level[i + 2] = scratch.f[pick_7 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->level[i + 4] = scratch.f[pick_8 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->level[i + 6] = scratch.f[pick_9 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->level[i + 8] = scratch.f[pick_10 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->power[i] = scratch.f[pick_11 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->power[i + 2] = scratch.f[pick_12 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->power[i + 4] = scratch.f[pick_13 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->power[i + 6] = scratch.f[pick_14 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->power[i + 8] = scratch.f[pick_15 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->spread[i] = scratch.f[pick_16 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->spread[i + 2] = scratch.f[pick_17 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->spread[i + 4] = scratch.f[pick_18 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->spread[i + 6] = scratch.f[pick_19 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->spread[i + 8] = scratch.f[pick_20 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->roughness[i] = scratch.f[pick_21 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->roughness[i + 2] = scratch.f[pick_22 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->roughness[i + 4] = scratch.f[pick_23 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->roughness[i + 6] = scratch.f[pick_24 + i];
    }
    for (int32_t i = 0; i < 2; i++) {
        s->roughness[i + 8] = scratch.f[pick_25 + i];
    }
    s->over = pick_71;
    s->trouble_left = pick_72;
    s->tokens = least_10;
    s->told = (uint8_t)pick_73;
    s->held_back = pick_74;
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
