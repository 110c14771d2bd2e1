/* FreeRTOS.h: as much of ESP-IDF as the example uses, and a main that calls its entry. */
#define pdMS_TO_TICKS(ms) (ms)

void app_main(void);
