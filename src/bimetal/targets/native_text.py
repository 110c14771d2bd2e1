"""Native text: the C around the stages of many devices: vectors, structs into strips and back, the driver."""

from __future__ import annotations

HEAD = """
/* Many devices at once, one in each lane. */
#if defined(__AVX512F__) || defined(__AVX__) || defined(__SSE4_1__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define LANES 16
#define ALL(a) { a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a }
#elif defined(__AVX2__)
#define LANES 8
#define ALL(a) { a, a, a, a, a, a, a, a }
#else
#define LANES 4
#define ALL(a) { a, a, a, a }
#endif

typedef float vf __attribute__((vector_size(4 * LANES), may_alias));
typedef int32_t vi __attribute__((vector_size(4 * LANES), may_alias));
typedef int64_t vl __attribute__((vector_size(8 * LANES)));
typedef int32_t v4 __attribute__((vector_size(16), aligned(4), may_alias));
typedef int32_t word __attribute__((may_alias));
typedef int32_t loose __attribute__((may_alias, aligned(1)));
#define EACH for (int k = 0; k < LANES; k++)
#define INLINE __attribute__((unused, always_inline)) static inline

INLINE vf f32_all(float a)
{
    return (vf)ALL(a);
}

INLINE vi i32_all(int32_t a)
{
    return (vi)ALL(a);
}

INLINE vi i32_pick(vi c, vi a, vi b)
{
#if defined(__AVX2__) && LANES == 8
    return (vi)_mm256_blendv_epi8((__m256i)b, (__m256i)a, (__m256i)c);
#elif defined(__SSE4_1__) && LANES == 4
    return (vi)_mm_blendv_epi8((__m128i)b, (__m128i)a, (__m128i)c);
#else
    return (c & a) | (~c & b);
#endif
}

INLINE vf f32_pick(vi c, vf a, vf b)
{
    return (vf)i32_pick(c, (vi)a, (vi)b);
}

/* b < a ? b : a, and a < b ? b : a: on x86 one instruction, which gives its second argument otherwise. */
INLINE vf f32_min_all(vf a, vf b)
{
#if LANES == 16
    return (vf)_mm512_min_ps((__m512)b, (__m512)a);
#elif LANES == 8
    return (vf)_mm256_min_ps((__m256)b, (__m256)a);
#elif defined(__SSE4_1__)
    return (vf)_mm_min_ps((__m128)b, (__m128)a);
#else
    return f32_pick((vi)(b < a), b, a);
#endif
}

INLINE vf f32_max_all(vf a, vf b)
{
#if LANES == 16
    return (vf)_mm512_max_ps((__m512)b, (__m512)a);
#elif LANES == 8
    return (vf)_mm256_max_ps((__m256)b, (__m256)a);
#elif defined(__SSE4_1__)
    return (vf)_mm_max_ps((__m128)b, (__m128)a);
#else
    return f32_pick((vi)(a < b), b, a);
#endif
}

INLINE vi i32_min_all(vi a, vi b)
{
    return i32_pick((vi)(b < a), b, a);
}

INLINE vi i32_max_all(vi a, vi b)
{
    return i32_pick((vi)(a < b), b, a);
}

INLINE vf f32_sqrt_all(vf a)
{
#if LANES == 16
    return (vf)_mm512_sqrt_ps((__m512)a);
#elif LANES == 8
    return (vf)_mm256_sqrt_ps((__m256)a);
#else
    EACH a[k] = sqrtf(a[k]);
    return a;
#endif
}

INLINE vf f32_canon_all(vf a)
{
    const vi bits = (vi)a;
    return (vf)i32_pick((vi)((bits & 0x7fffffff) > 0x7f800000), i32_all(0x7fc00000), bits);
}

INLINE vi i32_mulshr_all(vi a, vi b, int by)
{
    const vl wide = __builtin_convertvector(a, vl) * __builtin_convertvector(b, vl);
    return __builtin_convertvector((wide + ((int64_t)1 << (by - 1))) >> by, vi);
}

INLINE int any(vi a)
{
    int32_t found = 0;
    EACH found |= a[k];
    return found != 0;
}

/* An element for every lane, each from a place of its own: of a strip, or of what all lanes share. */
INLINE vi lanes_from(const vi *strip, vi at)
{
    vi r;
    EACH r[k] = ((const word *)strip)[at[k] * LANES + k];
    return r;
}

INLINE void lanes_to(vi *strip, vi at, vi value, vi due)
{
    EACH if (due[k]) ((word *)strip)[at[k] * LANES + k] = value[k];
}

#define FROM(type, vector) INLINE vector type##_from(const type *from, vi at) \\
{ vector r; EACH r[k] = from[at[k]]; return r; }
FROM(float, vf)
FROM(int32_t, vi)
FROM(int16_t, vi)
FROM(int8_t, vi)
FROM(uint8_t, vi)

#if defined(__clang__) || __GNUC__ >= 12
#define PICK(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define PICK(a, b, ...) __builtin_shuffle(a, b, (v4){ __VA_ARGS__ })
#endif

/* The words w..w+3 of devices k, k+4, k+8 ... side by side; and back again. */
INLINE vi words_of(const uint8_t *at, size_t apart)
{
    const v4 a = *(const v4 *)at;
#if LANES == 4
    (void)apart;
    return (vi)a;
#else
    const v4 b = *(const v4 *)(at + 4 * apart);
#if LANES == 8
    return (vi)_mm256_inserti128_si256(_mm256_castsi128_si256((__m128i)a), (__m128i)b, 1);
#else
    const v4 c = *(const v4 *)(at + 8 * apart), d = *(const v4 *)(at + 12 * apart);
    const __m512i ab = _mm512_inserti32x4(_mm512_castsi128_si512((__m128i)a), (__m128i)b, 1);
    return (vi)_mm512_inserti32x4(_mm512_inserti32x4(ab, (__m128i)c, 2), (__m128i)d, 3);
#endif
#endif
}

INLINE void words_to(uint8_t *at, size_t apart, vi r)
{
#if LANES == 4
    (void)apart;
    *(v4 *)at = (v4)r;
#elif LANES == 8
    *(v4 *)at = (v4)_mm256_castsi256_si128((__m256i)r);
    *(v4 *)(at + 4 * apart) = (v4)_mm256_extracti128_si256((__m256i)r, 1);
#else
    *(v4 *)at = (v4)_mm512_castsi512_si128((__m512i)r);
    *(v4 *)(at + 4 * apart) = (v4)_mm512_extracti32x4_epi32((__m512i)r, 1);
    *(v4 *)(at + 8 * apart) = (v4)_mm512_extracti32x4_epi32((__m512i)r, 2);
    *(v4 *)(at + 12 * apart) = (v4)_mm512_extracti32x4_epi32((__m512i)r, 3);
#endif
}

/* Of each four lanes: the first, or the last, two words of both by turns; words, or pairs of words. */
#if LANES == 16
#define LOW(a, b) (vi)_mm512_unpacklo_epi32((__m512i)(a), (__m512i)(b))
#define HIGH(a, b) (vi)_mm512_unpackhi_epi32((__m512i)(a), (__m512i)(b))
#define LOW_PAIR(a, b) (vi)_mm512_unpacklo_epi64((__m512i)(a), (__m512i)(b))
#define HIGH_PAIR(a, b) (vi)_mm512_unpackhi_epi64((__m512i)(a), (__m512i)(b))
#elif LANES == 8
#define LOW(a, b) (vi)_mm256_unpacklo_epi32((__m256i)(a), (__m256i)(b))
#define HIGH(a, b) (vi)_mm256_unpackhi_epi32((__m256i)(a), (__m256i)(b))
#define LOW_PAIR(a, b) (vi)_mm256_unpacklo_epi64((__m256i)(a), (__m256i)(b))
#define HIGH_PAIR(a, b) (vi)_mm256_unpackhi_epi64((__m256i)(a), (__m256i)(b))
#else
#define LOW(a, b) PICK(a, b, 0, 4, 1, 5)
#define HIGH(a, b) PICK(a, b, 2, 6, 3, 7)
#define LOW_PAIR(a, b) PICK(a, b, 0, 1, 4, 5)
#define HIGH_PAIR(a, b) PICK(a, b, 2, 3, 6, 7)
#endif

/* Four words of a device become one word of four devices, four times; done twice, all is as before. */
INLINE void turn_round(vi r[4])
{
    const vi a = LOW(r[0], r[1]), b = HIGH(r[0], r[1]), c = LOW(r[2], r[3]), d = HIGH(r[2], r[3]);
    r[0] = LOW_PAIR(a, c);
    r[1] = HIGH_PAIR(a, c);
    r[2] = LOW_PAIR(b, d);
    r[3] = HIGH_PAIR(b, d);
}
"""

TAKE = """static void {name}(vi *strip, const uint8_t *first, size_t apart)
{{
    int32_t w = 0;
    word *to = (word *)strip;
    (void)first, (void)apart, (void)to;
    for (; w + 4 <= {words}; w += 4) {{
        vi r[4];
        for (int k = 0; k < 4; k++) r[k] = words_of(first + k * apart + 4 * w, apart);
        turn_round(r);
        for (int k = 0; k < 4; k++) strip[w + k] = r[k];
    }}
    for (; w < {words}; w++)
        EACH to[w * LANES + k] = *(const word *)(first + k * apart + 4 * w);
{narrow}
}}
"""

NARROW_TAKE = """    for (int32_t e = 0; e < {fours}; e += 4) {{
        vi four;
        EACH four[k] = *(const loose *)(first + k * apart + {offset} + e);
        for (int j = 0; j < 4; j++) strip[{first} + e + j] = four >> (8 * j) & 255;
    }}
    for (int32_t e = {fours}; e < {count}; e++)
        EACH to[({first} + e) * LANES + k] = ((const {type} *)(first + k * apart + {offset}))[e];"""

GIVE = """static void {name}(const vi *strip, uint8_t *first, size_t apart)
{{
    int32_t w = 0;
    const word *from = (const word *)strip;
    (void)first, (void)apart, (void)from;
    for (; w + 4 <= {words}; w += 4) {{
        vi r[4];
        for (int k = 0; k < 4; k++) r[k] = strip[w + k];
        turn_round(r);
        for (int k = 0; k < 4; k++) words_to(first + k * apart + 4 * w, apart, r[k]);
    }}
    for (; w < {words}; w++)
        EACH *(word *)(first + k * apart + 4 * w) = from[w * LANES + k];
{narrow}
}}
"""

NARROW_GIVE = """    for (int32_t e = 0; e < {fours}; e += 4) {{
        vi four = i32_all(0);
        for (int j = 0; j < 4; j++) four |= (strip[{first} + e + j] & 255) << (8 * j);
        EACH *(loose *)(first + k * apart + {offset} + e) = four[k];
    }}
    for (int32_t e = {fours}; e < {count}; e++)
        EACH (({type} *)(first + k * apart + {offset}))[e] = ({type})from[({first} + e) * LANES + k];"""

DRIVER = """
typedef struct {{
    vi state[{state_words} + 1], in[{in_words} + 1], out[{out_words} + 1], scratch[{scratch_words} + 1];
}} room;

const int32_t bimetal_lanes = LANES;
const int32_t bimetal_room = (int32_t)(sizeof(room) + sizeof(vi));

void bimetal_rows(uint8_t *state, const uint8_t *params, const uint8_t *in, uint8_t *out, uint32_t *fired,
    int64_t n)
{{
    for (int64_t r = 0; r < n; r++, in += {reading}, out += {result})
        fired[r] = {name}_step(({name}_state *)state, (const {name}_params *)params, (const {name}_in *)in,
            ({name}_out *)out);
}}

void bimetal_devices(const uint8_t *before, uint8_t *after, const uint8_t *params, const uint8_t *in,
    uint8_t *out, uint32_t *fired, int64_t n, int64_t count, uint8_t *free)
{{
    room *const r = (room *)(((uintptr_t)free + sizeof(vi) - 1) / sizeof(vi) * sizeof(vi));
    vi *const S = r->state, *const I = r->in, *const O = r->out, *const T = r->scratch;
    const {name}_params *const p = (const {name}_params *)params;
    int64_t d = 0;
    for (; d + LANES <= count; d += LANES) {{
        take_state(S, before + d * {state}, {state});
        for (int64_t t = 0; t < n; t++) {{
            vi bits = i32_all(1), due;
            take_in(I, in + (d * n + t) * {reading}, (size_t)n * {reading});
{steps}
            give_out(O, out + (d * n + t) * {result}, (size_t)n * {result});
            EACH fired[(d + k) * n + t] = (uint32_t)bits[k];
        }}
        give_state(S, after + d * {state}, {state});
        EACH {{
            const int64_t end = (d + k + 1) * {state} - {padding};
            memcpy(after + end, before + end, {padding});
        }}
    }}
    memcpy(after + d * {state}, before + d * {state}, (size_t)(count - d) * {state});
    for (; d < count; d++)
        bimetal_rows(after + d * {state}, params, in + d * n * {reading}, out + d * n * {result},
            fired + d * n, n);
}}
"""
