"""Arduino: a library with a sketch that checks itself and then watches."""

from __future__ import annotations

from bimetal.targets.packaging.parts import Parts
from bimetal.targets.packaging.sketch import SERIAL, read_sensors, says_something, tell

USE = """
Put this folder into your sketchbook's libraries/ (or zip it, then Sketch > Include Library > Add
.ZIP Library), restart the IDE, and open File > Examples > %name% > watch: it runs the golden
vectors, says on Serial how many differ, and then scores a reading every %period_ms% ms.
"""


def files(parts: Parts) -> dict[str, str]:
    """Return what makes a library of it: its properties, words to colour, and a sketch."""
    return {
        "library.properties": parts.spelled(PROPERTIES),
        "keywords.txt": parts.spelled(KEYWORDS),
        "examples/watch/watch.ino": sketch(parts, "watch.ino", ""),
    }


def sketch(parts: Parts, file: str, head: str) -> str:
    """Return a sketch as a file; `head` is what others than the Arduino IDE need at its top."""
    return parts.spelled(
        SKETCH,
        file=file,
        head=head,
        read=read_sensors(parts),
        tell=tell(parts, SERIAL),
        something=says_something(parts),
    )


PROPERTIES = """# The url is asked for: put your own in its place before you give the library to others.
name=%name%
version=%version%
author=bimetal
maintainer=bimetal
sentence=%title%, as a function of one reading after the other.
paragraph=Emitted by bimetal with learned values and golden vectors; no malloc, known sizes of code and state.
category=Data Processing
url=https://example.org/%name%
architectures=*
includes=%name%.h,%name%_params.h,%name%_test.h
"""

KEYWORDS = """%name%_state\tKEYWORD1
%name%_params\tKEYWORD1
%name%_in\tKEYWORD1
%name%_out\tKEYWORD1
%name%_init\tKEYWORD2
%name%_step\tKEYWORD2
%name%_self_test\tKEYWORD2
%name%_learned\tLITERAL1
"""

SKETCH = """/* %file%: checks itself, then scores a reading every %period_ms% ms. */
%head%#include <%name%.h>
#include <%name%_params.h>
#include <%name%_test.h>

static const unsigned long period_ms = %period_ms%UL;
static %name%_state state;

%read%

%tell%

void setup()
{
    Serial.begin(115200);
    while (!Serial && millis() < 3000) {
    }
    const unsigned long different = %name%_self_test(&state);
    Serial.print(F("self-test: "));
    Serial.print(different);
    Serial.print(F(" of "));
    Serial.print((unsigned long)%NAME%_VECTORS);
    Serial.println(F(" vectors differ"));
    %name%_init(&state);
}

void loop()
{
    static unsigned long last = 0;
    static %name%_in in;
    static %name%_out out;
    if (millis() - last < period_ms) {
        return;
    }
    last += period_ms;
    read_sensors(&in);
    if (%name%_step(&state, &%name%_learned, &in, &out) %something%) {
        tell(&out);
    }
}
"""
