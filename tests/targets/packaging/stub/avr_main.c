/* avr_main.c: runs the golden vectors on an AVR, and says on its serial line how many differ of how many. */
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>

#include "plant_test.h"

static void put(char c)
{
    UDR0 = (uint8_t)c;
    while ((UCSR0A & (1 << UDRE0)) == 0) {
    }
}

static void put_number(uint32_t value)
{
    if (value >= 10) {
        put_number(value / 10);
    }
    put((char)('0' + value % 10));
}

int main(void)
{
    static plant_state state;
    UCSR0B = 1 << TXEN0;
    put_number(plant_self_test(&state));
    put('/');
    put_number(PLANT_VECTORS);
    put('\n');
    cli();
    sleep_enable();
    sleep_cpu();
    return 0;
}
