/* kernel.h: as much of Zephyr as the sample uses: the third sleep ends the program. */
#include <stdlib.h>

#define K_MSEC(ms) (ms)

static inline void k_sleep(long ms)
{
    static int slept = 0;
    if (ms <= 0 || ++slept == 3) {
        exit(ms <= 0);
    }
}
