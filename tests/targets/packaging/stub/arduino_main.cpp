/* arduino_main.cpp: a sketch as a program: setup once, loop a few times, a minute apart. */
#include "Arduino.h"

Console Serial;

static unsigned long now = 0;

unsigned long millis()
{
    return now;
}

void setup();
void loop();

int main()
{
    setup();
    for (int turn = 0; turn < 5; turn++) {
        now += 60000;
        loop();
    }
    return 0;
}
