"""Name: what a column's heading says: the signal's name, its unit, what it measures."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from bimetal.wire.codec import LONGEST_NAME
from bimetal.wire.table.bag import bag
from bimetal.wire.table.unit import Unit, find_unit


@dataclass(frozen=True, slots=True)
class Name:
    """A heading taken apart; `unit` and `quantity` are empty when it does not say."""

    text: str
    unit: str = ""
    quantity: str = ""


def read_name(heading: str) -> Name:
    """Take a heading apart: `temp (°C)` is the signal temp in Cel, `vib_mm_s` is in mm/s.

    A unit in brackets or after a comma leaves the name; one that is part of the name
    (`Usage_kWh`) stays in it, because that is what the sender calls the signal.
    """
    text = tidy_heading(heading).strip("\"'")
    for pattern in (_BRACKETS, _AFTER_COMMA):
        found = pattern.fullmatch(text)
        if found and (not found["unit"].strip() or find_unit(found["unit"])):
            unit = find_unit(found["unit"]) if found["unit"].strip() else _suffix(found["name"].strip(" _-"))
            return _named(found["name"].strip(" _-"), unit)
    return _named(text, _suffix(text))


def tidy_heading(heading: str) -> str:
    """Return a heading without control, direction and invisible characters, and not too long."""
    text = "".join(c if c.isprintable() else " " if c.isspace() else "" for c in heading)
    return " ".join(text.split())[:LONGEST_NAME].rstrip()


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a heading in lower case: `flowRate_2 [bar]` has flow, rate, 2, bar."""
    return tuple(word.lower() for word in _WORD.findall(unicodedata.normalize("NFKC", name)))


def plain_name(name: str) -> str:
    """Return a name stripped to letters and digits in lower case, for tolerant comparison."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return "".join(c for c in text if c.isalnum())


def _named(text: str, unit: Unit | None) -> Name:
    said = _quantity(words_of(text))
    if unit is None:
        return Name(text, "", said)
    vague = unit.quantity in ("fraction", "level") or said == "vibration"
    return Name(text, unit.code, said if vague and said else unit.quantity)


def _quantity(words: tuple[str, ...]) -> str:
    for word in reversed(words):
        if word in _QUANTITIES:
            return _QUANTITIES[word]
    return ""


def _suffix(text: str) -> Unit | None:
    parts = _parts(text)
    for count in (3, 2, 1):
        if len(parts) <= count:
            continue
        unit = find_unit("_".join(parts[-count:])) or (
            find_unit("".join(parts[-count:])) if count > 1 else None
        )
        if unit and count == 1:
            unit = _meant(parts, unit)
        if unit:
            return unit
    return None


def _parts(text: str) -> list[str]:
    """Split a heading at spaces and underscores, its last word also where the case changes: tempC."""
    parts = [part for part in re.split(r"[\s_]+", text) if part]
    humps = _HUMP.fullmatch(parts[-1]) if parts and not find_unit(parts[-1]) else None
    return [*parts[:-1], humps[1], humps[2]] if humps else parts


def _meant(parts: list[str], unit: Unit) -> Unit | None:
    """Return the unit if a last word surely is one: `Phase_A` is no current, `load_min` no time."""
    word = parts[-1]
    said = _quantity(tuple(w for part in parts[:-1] for w in words_of(part)))
    if word.lower() == "g" and said in ("acceleration", "vibration"):
        return find_unit("grms")
    sure = len(word) > 1 or not word.isalnum()
    return unit if (sure and word.lower() not in _MISTAKEN) or said == unit.quantity else None


_BRACKETS = re.compile(r"(?P<name>[^\[({<]+?)[\s_]*[\[({<](?P<unit>[^\])}>]*(?:\([ag]\))?)[\])}>]")
_AFTER_COMMA = re.compile(
    r"(?P<name>.+?)(?:,\s*|\s+/\s*|\s+in\s+|:\s*|\s+(?=[°%℃µ]))(?P<unit>[^\s,]{1,8}(?: [CF])?)"
)
_WORD = re.compile(r"[A-Z]+(?![a-zß-ÿ])|[A-Z]?[a-zß-ÿ]+|\d+")
_HUMP = re.compile(r"(.*[a-z\d])([A-Z][A-Za-z]*)")
_MISTAKEN = bag("min ms in ma mm hm pa no us as at mg day days sec second hour minute deg rad mps t")

_QUANTITIES = {
    word: quantity
    for quantity, words in (
        ("temperature", "temperature temp tmp thermocouple temperatur"),
        ("pressure", "pressure press pres baro barometer druck"),
        ("humidity", "humidity rh hum moisture feuchte"),
        ("current", "current amperage strom"),
        ("voltage", "voltage volt volts spannung"),
        ("power", "power leistung"),
        ("energy", "energy consumption usage energie"),
        ("velocity", "speed velocity"),
        ("rotation", "rpm rotational gyro gyroscope"),
        ("acceleration", "acceleration accelerometer accel acc"),
        ("vibration", "vibration vib"),
        ("flow", "flow"),
        ("level", "level"),
        ("torque", "torque"),
        ("force", "force"),
        ("frequency", "frequency freq"),
        ("illuminance", "light lux illuminance"),
        ("concentration", "co2 co concentration"),
        ("acidity", "ph"),
        ("length", "distance displacement height depth"),
        ("mass", "weight mass"),
        ("angle", "angle heading tilt"),
        ("time", "time duration elapsed uptime runtime wear timer"),
    )
    for word in words.split()
}
