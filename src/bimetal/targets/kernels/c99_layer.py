"""C99 layer: dense layers and convolutions in whole numbers, four rows of weights or four channels at once.

Where a processor has instructions for two products at once (ARMv7E-M, ARMv8-M with DSP), a word of four
weights and one of four inputs are taken apart into pairs; the same sums are computed anywhere else, one
product after the other. Whole numbers add up the same in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bimetal.targets.kernels.layer import APART, CONV, DENSE, SUMS, LayerKernel
from bimetal.targets.loops import Call
from bimetal.targets.name import spelled


def call_of(call: Call, x: str, y: str) -> str:
    """Return the statement that runs a layer from one pointer to another."""
    kernel: LayerKernel = call.kernel
    shape = f"&{_named(kernel, 'shape')}, " if kernel.kind in SLID else ""
    p = "(i8_learned)p"
    return f"i8_{kernel.kind}({shape}&{_named(kernel, 'layer')}, {p}, {x}, {y});"


def functions_of(kernels: Iterable[LayerKernel], name: str) -> list[str]:
    """Return the functions and tables that layers need, each once; `name` is the program's."""
    layers = list(kernels)
    if not layers:
        return []
    kinds = {k.kind for k in layers}
    held = max((k.columns for k in layers if k.kind != APART), default=0) // 4
    texts = [
        (LAYER, KINDS.keys()),
        (PAIRS, KINDS.keys()),
        (FOUR, {DENSE, CONV, SUMS}),
        (COPY, {DENSE, CONV, SUMS}),
        (END, {DENSE, CONV, APART}),
        (ROWS, {DENSE, CONV}),
        (SHAPE, SLID),
        *((text.replace("%held%", str(held)), {kind}) for kind, text in KINDS.items()),
    ]
    used = [text for text, needed_by in texts if kinds & needed_by]
    return [*used, *(table for k in layers for table in _tables(k, name))]


def _tables(kernel: LayerKernel, name: str) -> Iterator[str]:
    """Yield what is known of a layer as constants."""
    whats = ("weights", "bias", *(() if kernel.kind == SUMS else ("multiplier",)))
    places = [f"offsetof({name}_params, {spelled(f'{kernel.name}_{what}')})" for what in whats]
    places += ["0"] * (3 - len(places))
    up = 32 - kernel.shift if kernel.shift else 0
    numbers = map(str, (kernel.outputs, kernel.patch, up, -127 * (1 - kernel.positive)))
    yield _table("layer", kernel, ",\n    ".join([*places, ", ".join(numbers)]))
    if kernel.kind in SLID:
        shape = (*kernel.picture, *kernel.size, kernel.stride, *kernel.padding)
        yield _table("shape", kernel, ", ".join(map(str, shape)))


def _table(kind: str, kernel: LayerKernel, inside: str) -> str:
    text = f"{{\n    {inside}\n}}" if "\n" in inside else f"{{ {inside} }}"
    return f"static const BIMETAL_FLASH i8_{kind} {_named(kernel, kind)} = {text};"


def _named(kernel: LayerKernel, kind: str) -> str:
    return spelled(f"{kernel.name}_{kind}")


SLID = {CONV, APART}

LAYER = """#include <stddef.h>

/* A layer in whole numbers: where its weights, bias and scales lie among what was learned; how many rows
 * of weights it has, and what a row meets; how its sums end (see i8_end). */
typedef struct {
    uint32_t weights, bias, scale;
    int32_t rows, columns;
    int16_t up, low;
} i8_layer;

typedef const BIMETAL_FLASH uint8_t *i8_learned;
#define I8_WEIGHTS(l, p) ((const BIMETAL_FLASH int8_t *)((p) + (l)->weights))
#define I8_BIAS(l, p) ((const BIMETAL_FLASH int32_t *)((p) + (l)->bias))"""

PAIRS = """/* What is in the inmost loop has all registers for itself. */
#if defined(__GNUC__)
#define BIMETAL_APART __attribute__((noinline))
#else
#define BIMETAL_APART
#endif

/* Two products at once, where there is an instruction for it. */
#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__) && !defined(__ARM_BIG_ENDIAN)
#define BIMETAL_PAIRS
static inline uint32_t i8_word(const int8_t *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* Bytes 0 and 2 of a word, or 1 and 3, as two numbers of 16 bits. */
static inline uint32_t i8_even(uint32_t word)
{
    uint32_t two;
    __asm__("sxtb16 %0, %1" : "=r"(two) : "r"(word));
    return two;
}

static inline uint32_t i8_odd(uint32_t word)
{
    uint32_t two;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(two) : "r"(word));
    return two;
}
#endif"""

FOUR = """/* Add the products of four rows of weights, of a multiple of four columns, to four sums. */
#if defined(BIMETAL_PAIRS)
static inline int32_t i8_pair(uint32_t a, uint32_t b, int32_t sum)
{
    __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(a), "r"(b));
    return sum;
}

BIMETAL_APART
static void i8_four(const int8_t *w, int32_t columns, const int8_t *x, int32_t *sums)
{
    const int8_t *const end = x + columns;
    int32_t a = sums[0], b = sums[1], c = sums[2], d = sums[3];
    do {
        const uint32_t word = i8_word(x), even = i8_even(word), odd = i8_odd(word);
        uint32_t row = i8_word(w);
        a = i8_pair(i8_odd(row), odd, i8_pair(i8_even(row), even, a));
        row = i8_word(w + columns);
        b = i8_pair(i8_odd(row), odd, i8_pair(i8_even(row), even, b));
        row = i8_word(w + 2 * columns);
        c = i8_pair(i8_odd(row), odd, i8_pair(i8_even(row), even, c));
        row = i8_word(w + 3 * columns);
        d = i8_pair(i8_odd(row), odd, i8_pair(i8_even(row), even, d));
        w += 4;
        x += 4;
    } while (x < end);
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}
#else
BIMETAL_APART
static void i8_four(const BIMETAL_FLASH int8_t *w, int32_t columns, const int8_t *x, int32_t *sums)
{
    const int8_t *const end = x + columns;
    int32_t row;
    for (row = 0; row < 4; row++) {
        const int8_t *at = x;
        int32_t sum = sums[row];
        do {
            sum += w[0] * at[0];
            sum += w[1] * at[1];
            sum += w[2] * at[2];
            sum += w[3] * at[3];
            w += 4;
            at += 4;
        } while (at < end);
        sums[row] = sum;
    }
}
#endif"""

END = """/* A sum times its scale / 2**(32 - up), rounded, within low..127. */
static inline int8_t i8_end(const BIMETAL_FLASH i8_layer *l, i8_learned p, int32_t sum, int32_t at)
{
    const int32_t scale = ((const BIMETAL_FLASH int16_t *)(p + l->scale))[at];
    const uint64_t wide = (uint64_t)((int64_t)sum * (int32_t)((uint32_t)scale << l->up));
    const int32_t near = (int32_t)(uint32_t)(wide >> 32) + (int32_t)((uint32_t)wide >> 31);
    return (int8_t)(near < l->low ? l->low : near > 127 ? 127 : near);
}"""

ROWS = """/* All rows of weights, four at once; the last four may begin before the others have ended. */
static void i8_rows(const BIMETAL_FLASH i8_layer *l, i8_learned p, const int8_t *x, int8_t *y)
{
    const int32_t columns = (l->columns + 3) / 4 * 4;
    int32_t at;
    for (at = 0; at < l->rows; at += 4) {
        int32_t k, sums[4];
        if (at > l->rows - 4) {
            at = l->rows - 4;
        }
        for (k = 0; k < 4; k++) {
            sums[k] = I8_BIAS(l, p)[at + k];
        }
        i8_four(I8_WEIGHTS(l, p) + at * columns, columns, x, sums);
        for (k = 0; k < 4; k++) {
            y[at + k] = i8_end(l, p, sums[k], at + k);
        }
    }
}"""

COPY = """/* Copy one byte or more; a library's memcpy is larger than all the rest of a small net. */
BIMETAL_APART
static void i8_copy(int8_t *to, const int8_t *from, int32_t count)
{
#if defined(BIMETAL_PAIRS)
    for (; count >= 4; count -= 4) {
        uint32_t word = i8_word(from);
        __asm__("" : "+r"(word)); /* or the loop is taken for a memcpy, and made one */
        memcpy(to, &word, sizeof word);
        from += 4;
        to += 4;
    }
#endif
    for (; count > 0; count--) {
        *to++ = *from++;
    }
}"""

SHAPE = """/* A picture (h, w, c), rows and columns of a kernel, its stride, the zeros around the picture. */
typedef struct {
    int16_t h, w, c, high, wide, stride, above, beside;
} i8_shape;"""

KINDS = {
    DENSE: """/* A layer of all columns: they are held beside zeros, so that words of four can be read. */
static void i8_dense(const BIMETAL_FLASH i8_layer *l, i8_learned p, const int8_t *x, int8_t *y)
{
    int32_t held[%held%];
    held[(l->columns - 1) / 4] = 0;
    i8_copy((int8_t *)held, x, l->columns);
    i8_rows(l, p, (const int8_t *)held, y);
}""",
    SUMS: """/* A layer of all columns that gives its sums. */
static void i8_sums(const BIMETAL_FLASH i8_layer *l, i8_learned p, const int8_t *x, int32_t *y)
{
    const int32_t columns = (l->columns + 3) / 4 * 4;
    int32_t held[%held%], at, k;
    held[columns / 4 - 1] = 0;
    i8_copy((int8_t *)held, x, l->columns);
    for (at = 0; at < l->rows; at += 4) {
        if (at > l->rows - 4) {
            at = l->rows - 4;
        }
        for (k = at; k < at + 4; k++) {
            y[k] = I8_BIAS(l, p)[k];
        }
        i8_four(I8_WEIGHTS(l, p) + at * columns, columns, (const int8_t *)held, y + at);
    }
}""",
    CONV: """/* A convolution: the patch of each place is held beside zeros. */
static void i8_conv(const BIMETAL_FLASH i8_shape *s, const BIMETAL_FLASH i8_layer *l, i8_learned p,
    const int8_t *x, int8_t *y)
{
    int32_t held[%held%], top, left, line;
    memset(held, 0, sizeof held);
    for (top = -s->above; top + s->high <= s->h + s->above; top += s->stride) {
        for (left = -s->beside; left + s->wide <= s->w + s->beside; left += s->stride) {
            const int32_t first = left < 0 ? -left : 0;
            const int32_t last = left + s->wide > s->w ? s->w - left : s->wide;
            if (first > 0 || last < s->wide || top < 0 || top + s->high > s->h) {
                memset(held, 0, sizeof held);
            }
            for (line = 0; line < s->high; line++) {
                if (top + line >= 0 && top + line < s->h && first < last) {
                    i8_copy((int8_t *)held + (line * s->wide + first) * s->c,
                        x + ((top + line) * s->w + left + first) * s->c, (last - first) * s->c);
                }
            }
            i8_rows(l, p, (const int8_t *)held, y);
            y += l->rows;
        }
    }
}""",
    APART: """/* A convolution that keeps channels apart, four of them at once. */
static void i8_apart(const BIMETAL_FLASH i8_shape *s, const BIMETAL_FLASH i8_layer *l, i8_learned p,
    const int8_t *x, int8_t *y)
{
    const int32_t channels = l->rows;
    int32_t top, left, line, at, k;
    for (top = -s->above; top + s->high <= s->h + s->above; top += s->stride) {
        for (left = -s->beside; left + s->wide <= s->w + s->beside; left += s->stride) {
            const int32_t first = left < 0 ? -left : 0;
            const int32_t last = left + s->wide > s->w ? s->w - left : s->wide;
            for (at = 0; at < channels; at += 4) {
                int32_t sums[4];
                for (k = 0; k < 4; k++) {
                    sums[k] = I8_BIAS(l, p)[at + k];
                }
                for (line = 0; line < s->high; line++) {
                    if (top + line >= 0 && top + line < s->h && first < last) {
                        const int8_t *value = x + ((top + line) * s->w + left + first) * channels;
                        i8_taps(I8_WEIGHTS(l, p) + (line * s->wide + first) * channels + at, value + at,
                            last - first, channels, sums);
                    }
                }
                for (k = 0; k < 4; k++) {
                    y[at + k] = i8_end(l, p, sums[k], at + k);
                }
            }
            y += channels;
        }
    }
}""",
}

TAPS = """/* Add the products of four channels, at places side by side, to the sum of each. */
#if defined(BIMETAL_PAIRS)
static inline int32_t i8_low(uint32_t a, uint32_t b, int32_t sum)
{
    __asm__("smlabb %0, %1, %2, %0" : "+r"(sum) : "r"(a), "r"(b));
    return sum;
}

static inline int32_t i8_high(uint32_t a, uint32_t b, int32_t sum)
{
    __asm__("smlatt %0, %1, %2, %0" : "+r"(sum) : "r"(a), "r"(b));
    return sum;
}

BIMETAL_APART
static void i8_taps(const int8_t *w, const int8_t *x, int32_t places, int32_t channels, int32_t *sums)
{
    int32_t a = sums[0], b = sums[1], c = sums[2], d = sums[3];
    do {
        const uint32_t weights = i8_word(w), values = i8_word(x);
        const uint32_t even = i8_even(weights), two = i8_even(values);
        const uint32_t odd = i8_odd(weights), others = i8_odd(values);
        a = i8_low(even, two, a);
        b = i8_low(odd, others, b);
        c = i8_high(even, two, c);
        d = i8_high(odd, others, d);
        w += channels;
        x += channels;
    } while (--places > 0);
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}
#else
BIMETAL_APART
static void i8_taps(const BIMETAL_FLASH int8_t *w, const int8_t *x, int32_t places, int32_t channels,
    int32_t *sums)
{
    do {
        sums[0] += w[0] * x[0];
        sums[1] += w[1] * x[1];
        sums[2] += w[2] * x[2];
        sums[3] += w[3] * x[3];
        w += channels;
        x += channels;
    } while (--places > 0);
}
#endif"""
KINDS[APART] = f"{TAPS}\n\n{KINDS[APART]}"
