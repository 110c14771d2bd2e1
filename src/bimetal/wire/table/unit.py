"""Unit: how people spell units, as UCUM codes, with what each measures."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit by its UCUM code and what it measures.

    A value in this unit times `factor` plus `offset` is the value in the quantity's
    reference unit, so that two units of one quantity convert into each other.
    """

    code: str
    quantity: str
    factor: float = 1.0
    offset: float = 0.0

    def convert(self, other: Unit) -> tuple[float, float]:
        """Return (factor, offset) that turn values of this unit into values of the other."""
        return self.factor / other.factor, (self.offset - other.offset) / other.factor


def find_unit(spelling: str) -> Unit | None:
    """Return the unit that a spelling such as `°C`, `mm/s` or `kWh` means, or None.

    Upper and lower case may differ where that cannot be mistaken: `RPM` is `rpm`, but
    `mW` is never `MW`.
    """
    exact, loose = _spellings()
    plain = _plain(spelling)
    return exact.get(plain) or loose.get(plain.casefold())


def _plain(spelling: str) -> str:
    text = unicodedata.normalize("NFKC", spelling.strip())
    for old, new in _SPELLINGS:
        text = text.replace(old, new)
    return text


@cache
def _spellings() -> tuple[dict[str, Unit], dict[str, Unit]]:
    exact: dict[str, Unit] = {}
    for unit, words in _UNITS:
        for word in (unit.code, *words.split()):
            exact.setdefault(_plain(word), unit)
    by_fold: dict[str, set[Unit]] = {}
    for word, unit in exact.items():
        by_fold.setdefault(word.casefold(), set()).add(unit)
    loose = {fold: next(iter(units)) for fold, units in by_fold.items() if len(units) == 1 and len(fold) > 1}
    return exact, loose


_SPELLINGS = (
    ("**", ""), ("^", ""), ("·", "."), ("⋅", "."), ("*", "."), (" ", ""), ("μ", "u"), ("º", "°"), ("−", "-"),
)  # fmt: skip
_UNITS: tuple[tuple[Unit, str], ...] = (
    (Unit("Cel", "temperature", 1, 273.15), "°C C degC deg_C °Celsius Celsius degreesC degrees_C centigrade"),
    (Unit("[degF]", "temperature", 5 / 9, 459.67 * 5 / 9), "°F F degF deg_F Fahrenheit degreesF"),
    (Unit("K", "temperature"), "Kelvin degK"),
    (Unit("bar", "pressure", 1e5), "bars barg bara bar(g) bar(a)"),
    (Unit("mbar", "pressure", 1e2), "millibar"),
    (Unit("Pa", "pressure"), "Pascal"),
    (Unit("hPa", "pressure", 1e2), ""),
    (Unit("kPa", "pressure", 1e3), ""),
    (Unit("MPa", "pressure", 1e6), ""),
    (Unit("[psi]", "pressure", 6894.757293168), "psi psig psia PSI"),
    (Unit("mm[Hg]", "pressure", 133.322387415), "mmHg torr"),
    (Unit("mm/s", "velocity", 1e-3), "mm_s mmps mm.s-1 mms"),
    (Unit("m/s", "velocity"), "m_s mps m.s-1"),
    (Unit("km/h", "velocity", 1 / 3.6), "km_h kmh kph kmph"),
    (Unit("[mi_i]/h", "velocity", 0.44704), "mph"),
    (Unit("[in_i]/s", "velocity", 0.0254), "in/s ips in_s"),
    (Unit("m/s2", "acceleration"), "m_s2 m/s/s m.s-2 mps2 ms2"),
    (Unit("[g]", "acceleration", 9.80665), "g-force gforce grms gRMS"),
    (Unit("/min", "rotation", 1 / 60), "rpm r/min rev/min RPM U/min 1/min min-1"),
    (Unit("rad/s", "rotation", 0.15915494309189535), "rad_s"),
    (Unit("deg/s", "rotation", 1 / 360), "dps °/s deg_s"),
    (Unit("A", "current"), "amp amps ampere amperes"),
    (Unit("mA", "current", 1e-3), "milliamp milliamps"),
    (Unit("uA", "current", 1e-6), "µA"),
    (Unit("V", "voltage"), "volt volts VDC VAC"),
    (Unit("mV", "voltage", 1e-3), "millivolt millivolts"),
    (Unit("kV", "voltage", 1e3), ""),
    (Unit("W", "power"), "watt watts"),
    (Unit("mW", "power", 1e-3), ""),
    (Unit("kW", "power", 1e3), ""),
    (Unit("MW", "power", 1e6), ""),
    (Unit("V.A", "apparent power"), "VA"),
    (Unit("kV.A", "apparent power", 1e3), "kVA"),
    (Unit("W.h", "energy", 3600), "Wh"),
    (Unit("kW.h", "energy", 3.6e6), "kWh kW_h"),
    (Unit("MW.h", "energy", 3.6e9), "MWh"),
    (Unit("J", "energy"), "joule joules"),
    (Unit("kJ", "energy", 1e3), ""),
    (Unit("Hz", "frequency"), "hertz"),
    (Unit("kHz", "frequency", 1e3), ""),
    (Unit("MHz", "frequency", 1e6), ""),
    (Unit("N", "force"), "newton newtons"),
    (Unit("kN", "force", 1e3), ""),
    (Unit("N.m", "torque"), "Nm N-m newtonmeter"),
    (Unit("L/min", "flow", 1 / 6e4), "l/min L_min l_min lpm LPM"),
    (Unit("L/s", "flow", 1e-3), "l/s L_s"),
    (Unit("L/h", "flow", 1e-3 / 3600), "l/h"),
    (Unit("m3/h", "flow", 1 / 3600), "m3_h m3/hr cbm/h"),
    (Unit("m3/s", "flow"), "m3_s"),
    (Unit("kg/h", "mass flow", 1 / 3600), "kg_h"),
    (Unit("kg/s", "mass flow"), "kg_s"),
    (Unit("%", "fraction", 0.01), "percent pct prct %RH %rH"),
    (Unit("[ppm]", "concentration", 1e-6), "ppm"),
    (Unit("[ppb]", "concentration", 1e-9), "ppb"),
    (Unit("mg/m3", "mass concentration", 1e-6), "mg_m3"),
    (Unit("ug/m3", "mass concentration", 1e-9), "ug_m3 µg/m³"),
    (Unit("g/m3", "mass concentration", 1e-3), "g_m3"),
    (Unit("mg/L", "mass concentration", 1e-3), "mg/l"),
    (Unit("lx", "illuminance"), "lux"),
    (Unit("W/m2", "irradiance"), "W_m2"),
    (Unit("dB", "level"), "decibel dBA dB(A)"),
    (Unit("dB[mW]", "radio power"), "dBm"),
    (Unit("[pH]", "acidity"), "pH"),
    (Unit("S/cm", "conductivity", 100), ""),
    (Unit("mS/cm", "conductivity", 0.1), "mS_cm"),
    (Unit("uS/cm", "conductivity", 1e-4), "uS_cm µS/cm"),
    (Unit("Ohm", "resistance"), "Ω ohms"),
    (Unit("kOhm", "resistance", 1e3), "kΩ"),
    (Unit("deg", "angle", 0.017453292519943295), "° degrees"),
    (Unit("rad", "angle"), "radian radians"),
    (Unit("um", "length", 1e-6), "µm micron microns"),
    (Unit("mm", "length", 1e-3), "millimeter millimetre"),
    (Unit("cm", "length", 1e-2), ""),
    (Unit("m", "length"), "meter metre meters metres"),
    (Unit("km", "length", 1e3), ""),
    (Unit("L", "volume", 1e-3), "l liter litre liters litres"),
    (Unit("m3", "volume"), "cbm"),
    (Unit("g", "mass", 1e-3), "gram grams"),
    (Unit("kg", "mass"), ""),
    (Unit("t", "mass", 1e3), "tonne tonnes"),
    (Unit("ns", "time", 1e-9), "nanos nanosecond nanoseconds nsec"),
    (Unit("us", "time", 1e-6), "µs micros microsecond microseconds usec"),
    (Unit("ms", "time", 1e-3), "millis millisecond milliseconds msec"),
    (Unit("s", "time"), "sec secs second seconds"),
    (Unit("min", "time", 60), "minute minutes mins"),
    (Unit("h", "time", 3600), "hr hrs hour hours"),
    (Unit("d", "time", 86400), "day days"),
    (Unit("T", "magnetic flux density"), "tesla"),
    (Unit("uT", "magnetic flux density", 1e-6), "µT"),
    (Unit("By", "data"), "B byte bytes"),
    (Unit("By/s", "data rate"), "B/s"),
)
