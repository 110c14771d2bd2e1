/* Arduino.h: as much of Arduino as the sketch uses, on a computer: Serial prints, time flies. */
#ifndef ARDUINO_H
#define ARDUINO_H

#include <cstdio>

#define F(text) text

struct Console {
    void begin(long) {}
    explicit operator bool() const { return true; }
    void print(const char *text) { std::printf("%s", text); }
    void print(long value) { std::printf("%ld", value); }
    void print(unsigned long value) { std::printf("%lu", value); }
    void print(double value, int digits) { std::printf("%.*f", digits, value); }
    void println() { std::printf("\n"); }
    void println(const char *text) { std::printf("%s\n", text); }
};

extern Console Serial;
unsigned long millis();

#endif
