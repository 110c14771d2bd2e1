"""Sketch: the parts of an example that differ from model to model: reading sensors, telling results."""

from __future__ import annotations

from collections.abc import Iterator

from bimetal.program.layout import Field
from bimetal.program.node import DTYPES, EVERY
from bimetal.targets.name import spelled
from bimetal.targets.packaging.parts import Parts

PRINTF, SERIAL = "printf", "Serial"
_ITEM = "\0"


def read_sensors(parts: Parts) -> str:
    """Return `read_sensors`, in which every signal is a gap until its owner puts a sensor there."""
    lines = [
        "/* Put your sensors here. A float that cannot be read now is NAN, a gap; here all are. */",
        f"static void read_sensors({parts.name}_in *in)",
        "{",
    ]
    for field, unit in parts.fields():
        gap = "NAN" if field.dtype == "f32" else "0"
        said = f" /* {unit} */" if unit else ""
        lines += _every(field, f"in->{spelled(field.name)}", f"{_ITEM} = {gap};{said}")
    if not parts.fields():
        lines.append("    (void)in;")
    return "\n".join([*lines, "}"])


def tell(parts: Parts, how: str) -> str:
    """Return `tell`, which prints every result by `printf` or on `Serial`."""
    lines = [f"static void tell(const {parts.name}_out *out)", "{"]
    for field in parts.results():
        item = f"out->{spelled(field.name)}"
        lines += _every(field, item, _print(field, how))
    lines.append('    printf("\\n");' if how == PRINTF else "    Serial.println();")
    if not any(True for _ in parts.results()):
        lines.append("    (void)out;")
    return "\n".join([*lines, "}"])


def says_something(parts: Parts) -> str:
    """Return the condition on what fired under which a result says something."""
    clocks = {node.clock for _, node in parts.program.outputs}
    return "> 1u" if clocks and EVERY not in clocks and None not in clocks else "!= 0"


def _print(field: Field, how: str) -> str:
    floats = field.dtype == "f32"
    if how == PRINTF:
        text = f'"{field.name} {"%g" if floats else "%ld"}  "'
        return f"printf({text}, {'(double)' if floats else '(long)'}{_ITEM});"
    value = f"{_ITEM}, 4" if floats else f"(long){_ITEM}"
    return f'Serial.print(F("{field.name} "));\n    Serial.print({value});\n    Serial.print(F("  "));'


def _every(field: Field, item: str, line: str) -> Iterator[str]:
    """Yield a line with its item put in, in a loop where there are several."""
    count = field.size // DTYPES[field.dtype].itemsize
    if count == 1:
        yield f"    {line.replace(_ITEM, item)}"
    else:
        inner = line.replace(_ITEM, f"{item}[k]").replace("\n", "\n    ")
        yield f"    for (int k = 0; k < {count}; k++) {{\n        {inner}\n    }}"
