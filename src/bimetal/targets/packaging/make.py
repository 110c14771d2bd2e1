"""Make: a Makefile that compiles strictly, runs the golden vectors, and builds an example or a library."""

from __future__ import annotations

from bimetal.targets.packaging.parts import Parts

USE = """
make test       compiles with -Wall -Wextra -Wconversion -Werror and runs %count% golden vectors
make example    builds %name%_example: CSV readings in, results out
make library    builds lib%name%.a: link it, include %name%.h and %name%_params.h
"""


def files(parts: Parts) -> dict[str, str]:
    """Return the Makefile."""
    return {"Makefile": parts.spelled(MAKEFILE)}


MAKEFILE = """# make test    compile with all warnings as errors, run the golden vectors
# make example build an example that reads CSV from standard input
# make library build lib%name%.a, for linking into firmware
# Another compiler: make test CC=clang; make library CC=arm-none-eabi-gcc AR=arm-none-eabi-ar \\
#   CFLAGS='-Os -mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard'
# Under an emulator: make test CC=aarch64-linux-gnu-gcc LDFLAGS=-static RUN=qemu-aarch64

CFLAGS ?= -O2
STRICT = -std=c99 -Wall -Wextra -Wconversion -Werror -ffp-contract=off -fno-math-errno
LDLIBS = -lm
RUN ?=
objects = %name%.o %name%_params.o

.PHONY: all test example library clean
all: example

%.o: %.c %name%.h %name%_params.h
\t$(CC) $(STRICT) $(CFLAGS) -c -o $@ $<

test: %name%_test
\t$(RUN) ./%name%_test

%name%_test: $(objects) %name%_test.o test_main.o
\t$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

example: %name%_example

%name%_example: $(objects) main.o
\t$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

library: lib%name%.a

lib%name%.a: $(objects)
\t$(AR) rcs $@ $^

clean:
\trm -f *.o lib%name%.a %name%_test %name%_example
"""
