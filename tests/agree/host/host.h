/* host.h: a program as host.c runs it; `programs` is generated. */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    size_t state, params, in, out;
    void (*init)(void *state);
    uint32_t (*step)(void *state, const void *params, const void *in, void *out);
} program;

#ifdef __cplusplus
extern "C" {
#endif

extern const program programs[];
extern const uint32_t program_count;

#ifdef __cplusplus
}
#endif

#endif
