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
    /* and */
    const bool is_2 = (p->sensor_low <= row_2) && (row_2 <= p->sensor_high);
    /* le */
    const bool is_3 = p->sensor_stuck_after <= pick_3;
    /* and to state last_usable */
    const bool is_4 = is_2 && !is_3;
    /* where to state lost */
    const int32_t pick_5 = !is_4 ? i32_min(32, s->lost + 1) : 0;
    /* where to state seen */
    const int32_t seen_1 = s->seen;
    const int32_t pick_6 = is_4 ? i32_min(65536, seen_1 + 1) : ((pick_5 == 32) ? 0 : seen_1);
    /* where */
    const float pick_7 = is_so(is_4) ? f32_min(20.0f, f32_max(-20.0f, f32_div(row_2 -
        p->usual_location, p->usual_scale))) : 0.0f;
    /* where to state last_value */
    const float last_value_1 = s->last_value;
    const float pick_8 = is_so(is_4) ? pick_7 : last_value_1;
    /* div */
    const float ratio_1 = f32_div(1.0f, f32_max(1.0f, (float)pick_6));
    /* max */
    const float most_1 = f32_max(0x1.c71c72p-3f, ratio_1);
    /* where to state level, scratch row_1 */
    const float level_1 = s->level[0];
    const float pick_9 = is_so(is_4) ? f32_min(20.0f, f32_max(-20.0f, level_1 + most_1 * (pick_7 -
        level_1))) : level_1;
    scratch.f[row_1] = pick_9;
    /* max */
    const float most_2 = f32_max(0x1.e1e1e2p-4f, ratio_1);
    /* where to state level, scratch row_1 */
    const float level_2 = s->level[1];
    const float pick_10 = is_so(is_4) ? f32_min(20.0f, f32_max(-20.0f, level_2 + most_2 * (pick_9 -
        level_2))) : level_2;
    scratch.f[row_1 + 1] = pick_10;
    /* max */
    const float most_3 = f32_max(0x1.f07c2p-5f, ratio_1);
    /* where to state level, scratch row_1 */
    const float level_3 = s->level[2];
    const float pick_11 = is_so(is_4) ? f32_min(20.0f, f32_max(-20.0f, level_3 + most_3 * (pick_10 -
        level_3))) : level_3;
    scratch.f[row_1 + 2] = pick_11;
    /* max */
    const float most_4 = f32_max(0x1.f81f82p-6f, ratio_1);
    /* where to state level, scratch row_1 */
    const float level_4 = s->level[3];
    const float pick_12 = is_so(is_4) ? f32_min(20.0f, f32_max(-20.0f, level_4 + most_4 * (pick_11 -
        level_4))) : level_4;
    scratch.f[row_1 + 3] = pick_12;
    /* max */
    const float most_5 = f32_max(0x1.fc07fp-7f, ratio_1);
    /* where to state level, scratch row_1 */
    const float level_5 = s->level[4];
    const float pick_13 = is_so(is_4) ? f32_min(20.0f, f32_max(-20.0f, level_5 + most_5 * (pick_12 -
        level_5))) : level_5;
    scratch.f[row_1 + 4] = pick_13;
    /* where to state power, scratch row_1 */
    const float power_1 = s->power[0];
    const float pick_14 = is_so(is_4) ? f32_min(400.0f, f32_max(0.0f, power_1 + most_1 * (pick_7 *
        pick_7 - power_1))) : power_1;
    scratch.f[row_1 + 5] = pick_14;
    /* where to state power, scratch row_1 */
    const float power_2 = s->power[1];
    const float pick_15 = is_so(is_4) ? f32_min(400.0f, f32_max(0.0f, power_2 + most_2 * (pick_14 -
        power_2))) : power_2;
    scratch.f[row_1 + 6] = pick_15;
    /* where to state power, scratch row_1 */
    const float power_3 = s->power[2];
    const float pick_16 = is_so(is_4) ? f32_min(400.0f, f32_max(0.0f, power_3 + most_3 * (pick_15 -
        power_3))) : power_3;
    scratch.f[row_1 + 7] = pick_16;
    /* where to state power, scratch row_1 */
    const float power_4 = s->power[3];
    const float pick_17 = is_so(is_4) ? f32_min(400.0f, f32_max(0.0f, power_4 + most_4 * (pick_16 -
        power_4))) : power_4;
    scratch.f[row_1 + 8] = pick_17;
    /* where to state power, scratch row_1 */
    const float power_5 = s->power[4];
    const float pick_18 = is_so(is_4) ? f32_min(400.0f, f32_max(0.0f, power_5 + most_5 * (pick_17 -
        power_5))) : power_5;
    scratch.f[row_1 + 9] = pick_18;
    /* where to state spread, scratch row_1 */
    const float spread_1 = s->spread[0];
    const float value_1 = pick_7 - pick_9;
    const float pick_19 = is_so(is_4) ? f32_min(1600.0f, f32_max(0.0f, spread_1 + most_1 * (value_1
        * value_1 - spread_1))) : spread_1;
    scratch.f[row_1 + 10] = pick_19;
    /* where to state spread, scratch row_1 */
    const float spread_2 = s->spread[1];
    const float pick_20 = is_so(is_4) ? f32_min(1600.0f, f32_max(0.0f, spread_2 + most_2 * (pick_19
        - spread_2))) : spread_2;
    scratch.f[row_1 + 11] = pick_20;
    /* where to state spread, scratch row_1 */
    const float spread_3 = s->spread[2];
    const float pick_21 = is_so(is_4) ? f32_min(1600.0f, f32_max(0.0f, spread_3 + most_3 * (pick_20
        - spread_3))) : spread_3;
    scratch.f[row_1 + 12] = pick_21;
    /* where to state spread, scratch row_1 */
    const float spread_4 = s->spread[3];
    const float pick_22 = is_so(is_4) ? f32_min(1600.0f, f32_max(0.0f, spread_4 + most_4 * (pick_21
        - spread_4))) : spread_4;
    scratch.f[row_1 + 13] = pick_22;
    /* where to state spread, scratch row_1 */
    const float spread_5 = s->spread[4];
    const float pick_23 = is_so(is_4) ? f32_min(1600.0f, f32_max(0.0f, spread_5 + most_5 * (pick_22
        - spread_5))) : spread_5;
    scratch.f[row_1 + 14] = pick_23;
    /* and */
    const bool is_5 = is_4 && (s->last_usable != 0);
    /* where to state roughness, scratch row_1 */
    const float roughness_1 = s->roughness[0];
    const float value_2 = pick_7 - last_value_1;
    const float pick_24 = is_so(is_5) ? f32_min(40.0f, f32_max(0.0f, roughness_1 + most_1 *
        ((is_so(value_2 < 0.0f) ? (-value_2) : value_2) - roughness_1))) : roughness_1;
    scratch.f[row_1 + 15] = pick_24;
    /* where to state roughness, scratch row_1 */
    const float roughness_2 = s->roughness[1];
    const float pick_25 = is_so(is_5) ? f32_min(40.0f, f32_max(0.0f, roughness_2 + most_2 * (pick_24
        - roughness_2))) : roughness_2;
    scratch.f[row_1 + 16] = pick_25;
    /* where to state roughness, scratch row_1 */
    const float roughness_3 = s->roughness[2];
    const float pick_26 = is_so(is_5) ? f32_min(40.0f, f32_max(0.0f, roughness_3 + most_3 * (pick_25
        - roughness_3))) : roughness_3;
    scratch.f[row_1 + 17] = pick_26;
    /* where to state roughness, scratch row_1 */
    const float roughness_4 = s->roughness[3];
    const float pick_27 = is_so(is_5) ? f32_min(40.0f, f32_max(0.0f, roughness_4 + most_4 * (pick_26
        - roughness_4))) : roughness_4;
    scratch.f[row_1 + 18] = pick_27;
    /* where to state roughness, scratch row_1 */
    const float roughness_5 = s->roughness[4];
    const float pick_28 = is_so(is_5) ? f32_min(40.0f, f32_max(0.0f, roughness_5 + most_5 * (pick_27
        - roughness_5))) : roughness_5;
    scratch.f[row_1 + 19] = pick_28;
    /* le */
    const bool is_6 = 48 <= pick_6;
    /* min */
    const int32_t least_1 = i32_min(128, pick_6);
    /* and */
    const int32_t value_3 = i32_max(48, least_1 - 16);
    const bool is_7 = is_4 && (value_3 <= pick_6);
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
        const float pick_29 = is_so(is_7) ? f32_min(30000.0f, f32_max(-30000.0f, scratch.f[each_1 +
            i] - p->own_centre[i] - drift_1)) : 0.0f;
        scratch.f[pick_1 + i] = pick_29;
    }
    /* reduce[1, 20] to scratch total_1 */
    for (int32_t i = 0; i < 20; i++) {
        float total_2 = -0.0f;
        for (int32_t j = 0; j < 20; j++) {
            const float pick_30 = scratch.f[pick_1 + j];
            total_2 = total_2 + p->own_whiten[20 * i + j] * pick_30;
        }
        scratch.f[total_1 + i] = total_2;
    }
    /* mul */
    float total_3 = -0.0f;
    for (int32_t i = 0; i < 20; i++) {
        const float total_4 = scratch.f[total_1 + i];
        const float ratio_2 = s->ratio[i];
        total_3 = total_3 + total_4 * f32_div(total_4, ratio_2);
    }
    const float product_2 = f32_min(0x1.1c3794p+53f, f32_max(0.0f, total_3)) * 1.0f * p->own_gain;
    /* where to state mean_distance */
    const float mean_distance_1 = s->mean_distance;
    const float own_pace_1 = p->own_pace;
    const float pick_31 = is_so(is_6) ? f32_min(0x1.e848p+19f, f32_max(0x1.0624dep-10f,
        mean_distance_1 + own_pace_1 * (f32_min(mean_distance_1 * 5.0f, product_2) -
        mean_distance_1))) : mean_distance_1;
    /* reshape */
    const float product_3 = mean_distance_1 * 3.0f;
    const float value_4 = is_so(is_6) ? own_pace_1 * (is_so(product_2 <= product_3) ? 1.0f :
        f32_div(product_3, f32_max(0x1.0c6f7ap-20f, product_2))) : 0.0f;
    /* min[1, 20] to state drift */
    for (int32_t i = 0; i < 20; i++) {
        const float drift_2 = s->drift[i];
        const float pick_32 = scratch.f[pick_1 + i];
        s->drift[i] = f32_min(10000.0f, f32_max(-10000.0f, drift_2 + value_4 * pick_32));
    }
    /* where[1, 20] to state ratio */
    for (int32_t i = 0; i < 20; i++) {
        const float ratio_3 = s->ratio[i];
        const float total_5 = scratch.f[total_1 + i];
        s->ratio[i] = is_so(is_7) ? f32_min(0x1.e848p+19f, f32_max(0.25f, ratio_3 + value_4 *
            (total_5 * total_5 - ratio_3))) : ratio_3;
    }
    /* mul */
    const int32_t value_5 = f32_bits(f32_min(0x1.fffffep+127f, f32_max(0x1p-126f,
        f32_min(0x1.1c3794p+53f, f32_max(1.0f, product_2 + 1.0f)))));
    const int32_t value_6 = value_5 & 8388607;
    const bool is_8 = 3474675 < value_6;
    const float value_7 = f32_of_bits((value_5 & 8388607) | 1065353216);
    const float pick_33 = is_so(is_8) ? value_7 * 0.5f : value_7;
    const float ratio_4 = f32_div(pick_33 - 1.0f, pick_33 + 1.0f);
    const float product_4 = ratio_4 * ratio_4;
    const float product_5 = ratio_4 * ((((0x1.484b14p-2f * product_4 + 0x1.a61762p-2f) * product_4 +
        0x1.2776c6p-1f) * product_4 + 0x1.ec709ep-1f) * product_4 + 0x1.715476p+1f);
    const float product_6 = ((float)(i32_shr(value_5, 23) - 127 + (int32_t)is_8) + product_5) *
        0x1.62e43p-1f * 1.0f;
    /* where to out score */
    const float pick_34 = is_so(is_6) ? f32_div(product_6, p->threshold) * ((float)least_1 *
        0x1p-7f) : 0.0f;
    out->score = pick_34;
    /* le */
    const bool is_9 = 1.0f <= pick_34;
    /* where to state over */
    const int32_t pick_35 = is_9 ? 1 : 0;
    /* lt */
    const int32_t trouble_left_1 = s->trouble_left;
    const bool is_10 = 0 < trouble_left_1;
    /* and */
    const bool is_11 = is_9 && (is_10 || (pick_35 == 1));
    /* where to state trouble_left */
    const int32_t pick_36 = is_11 ? 16 : i32_max(0, trouble_left_1 - 1);
    /* min */
    const float least_2 = f32_min(8.0f, f32_max(0.0f, s->tokens + p->alarm_refill));
    /* and */
    const bool is_12 = is_11 && !is_10;
    /* le */
    const bool is_13 = 1.0f <= least_2;
    /* min to state tokens */
    const float least_3 = f32_min(8.0f, f32_max(0.0f, least_2 - (float)(int32_t)(is_12 && is_13)));
    /* where to state told */
    const bool pick_37 = is_12 ? is_13 : (s->told != 0);
    /* where to state held_back, out held_back */
    const int32_t held_back_1 = s->held_back;
    const int32_t pick_38 = (is_12 && !is_13) ? i32_min(65536, held_back_1 + 1) : held_back_1;
    out->held_back = pick_38;
    /* and to out alarm */
    out->alarm = (uint8_t)(pick_37 && (0 < pick_36));
    /* mul to out share */
    const float least_4 = f32_min(0x1.93e594p+99f, f32_max(0.0f, product_6));
    out->share = f32_div(least_4, f32_max(0x1p-100f, least_4)) * 0x1.ffff8p-1f;
    /* where to out fault */
    out->fault = (p->sensor_gone_after <= pick_4) ? 1 : ((is_1 && !is_2) ? 2 : (is_3 ? 3 : 0));
    /* what was computed from the old values is written now */
    s->last = f32_canonical(pick_2);
    s->repeats = pick_3;
    s->silence = pick_4;
    s->last_usable = (uint8_t)is_4;
    s->lost = pick_5;
    s->seen = pick_6;
    s->last_value = pick_8;
    s->level[0] = pick_9;
    s->level[1] = pick_10;
    s->level[2] = pick_11;
    s->level[3] = pick_12;
    s->level[4] = pick_13;
    s->power[0] = pick_14;
    s->power[1] = pick_15;
    s->power[2] = pick_16;
    s->power[3] = pick_17;
    s->power[4] = pick_18;
    s->spread[0] = pick_19;
    s->spread[1] = pick_20;
    s->spread[2] = pick_21;
    s->spread[3] = pick_22;
    s->spread[4] = pick_23;
    s->roughness[0] = pick_24;
    s->roughness[1] = pick_25;
    s->roughness[2] = pick_26;
    s->roughness[3] = pick_27;
    s->roughness[4] = pick_28;
    s->mean_distance = pick_31;
    s->over = pick_35;
    s->trouble_left = pick_36;
    s->tokens = least_3;
    s->told = (uint8_t)pick_37;
    s->held_back = pick_38;
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
