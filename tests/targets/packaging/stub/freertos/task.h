/* task.h: the third delay ends the program. */
#include <stdlib.h>

static inline void vTaskDelay(long ticks)
{
    static int slept = 0;
    if (ticks <= 0 || ++slept == 3) {
        exit(ticks <= 0);
    }
}
