"""Round: one merging of what many devices learned. Contributions in, one answer out; no reading moves.

A contribution counts when, in this order:
1. its bytes are whole and of this round and subject;
2. its device may take part;
3. the device has not contributed something else to this round (the same again does no harm);
4. it could come from readings within the declared ranges: at least `least_rows` rows, means within
   the range, variances no larger than the range allows, products that some readings can have.

Then, when there are enough devices:
5. no device counts for more rows than MOST_WEIGHT times the median device;
6. no mean lies further than REACH robust scales from the median device's, and no variance above
   MOST_VARIANCE times the median device's: what does is pulled back to there, and named.

So a device that lies, and passes 4, moves the merged mean by no more than `Merged.reach` from what
the others come to; and as long as fewer than half of the devices lie, the bounds it is held to
are drawn by honest ones. Devices are merged in the order of their ids, so any order of arrival
gives the same bits; when nothing is pulled back or weighed less, the result is that of all
readings pooled, to rounding. Medians as centre and scale: Huber, "Robust Statistics", 1981.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from bimetal.federate.contribution import Contribution, from_bytes
from bimetal.federate.moments import Floats, Moments, merge_all
from bimetal.nouns.errors import BadInput, GateNotMet, NotAllowed

LEAST_DEVICES = 5
LEAST_ROWS = 32
MOST_ROWS = 2.0**40
MOST_WEIGHT = 4.0
REACH = 6.0
MOST_VARIANCE = 16.0
_SLACK = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """What a round asks for: its number and subject, the range of every signal (d,), who may take part.

    `least_devices` must contribute before anything is merged, each with `least_rows` rows or more, so
    that no single device's readings can be told from the result. Raises BadInput for empty ranges.
    """

    number: int
    subject: bytes
    low: Floats
    high: Floats
    devices: frozenset[str]
    least_devices: int = LEAST_DEVICES
    least_rows: int = LEAST_ROWS

    def __post_init__(self) -> None:
        if self.low.shape != self.high.shape or not (self.low < self.high).all():
            raise BadInput("every signal needs a range with low below high")
        if not (np.isfinite(self.low).all() and np.isfinite(self.high).all()):
            raise BadInput("a round needs finite ranges", hint="Declare what each sensor can say")
        if self.least_devices < 2:
            raise BadInput("a round of one device would tell its readings' mean to everybody")


@dataclass(frozen=True, slots=True, eq=False)
class Merged:
    """What came out: the moments of all, which devices are in it, which were pulled back or weighed less.

    `reach` (d,) is how far any one device could move each merged mean from what the others come to.
    """

    moments: Moments
    devices: tuple[str, ...]
    pulled_back: tuple[str, ...]
    weighed_less: tuple[str, ...]
    reach: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """A round that is going on; every change returns a new one."""

    terms: Terms
    contributions: Mapping[str, Contribution] = field(default_factory=dict[str, Contribution])

    def receive(self, content: bytes) -> Round:
        """Take a contribution in.

        Raises BadInput or Unsupported when it does not count, NotAllowed when its device may not
        take part; then the round is as it was.
        """
        given = from_bytes(content)
        _check(given, self.terms)
        known = self.contributions.get(given.device)
        if known is not None:
            if _same(known, given):
                return self
            raise BadInput("this device has contributed something else already", where=given.device)
        return replace(self, contributions={**self.contributions, given.device: given})

    def without(self, device: str) -> Round:
        """Return the round without a device, as erasure asks for."""
        return replace(self, contributions={d: c for d, c in self.contributions.items() if d != device})

    def merge(self) -> Merged:
        """Merge what came in; raises GateNotMet when too few devices contributed."""
        devices = tuple(sorted(self.contributions))
        if len(devices) < self.terms.least_devices:
            raise GateNotMet(
                f"{len(devices)} devices contributed, and {self.terms.least_devices} are needed",
                where=f"round {self.terms.number}",
                hint="Wait for more devices",
            )
        parts = [self.contributions[d].moments for d in devices]
        counts = np.array([p.count for p in parts])
        most_rows = MOST_WEIGHT * float(np.median(counts))
        middle, scale, most_variance = _usual(parts)
        bounded = [_bounded(p, most_rows, middle, scale, most_variance) for p in parts]
        moments = merge_all((b.moments for b in bounded), len(middle))
        weight = np.minimum(counts, most_rows)
        pulled = tuple(d for d, b in zip(devices, bounded, strict=True) if b.pulled)
        less = tuple(d for d, n in zip(devices, counts, strict=True) if n > most_rows)
        return Merged(moments, devices, pulled, less, 2 * REACH * scale * float(weight.max() / weight.sum()))


@dataclass(frozen=True, slots=True, eq=False)
class _Bounded:
    moments: Moments
    pulled: bool


def _check(given: Contribution, terms: Terms) -> None:
    moments, where = given.moments, given.device
    if (given.round, given.subject) != (terms.number, terms.subject):
        raise BadInput("the contribution is for another round or subject", where=where)
    if given.device not in terms.devices:
        raise NotAllowed("this device does not take part", where=where, hint="Add it to the round")
    if len(moments.mean) != len(terms.low):
        raise BadInput(f"{len(moments.mean)} signals came, {len(terms.low)} were asked for", where=where)
    numbers = np.concatenate([[moments.count], moments.mean, moments.products.ravel()])
    if not np.isfinite(numbers).all():
        raise BadInput("the contribution holds a number that is not finite", where=where)
    if not terms.least_rows <= moments.count <= MOST_ROWS or moments.count != np.floor(moments.count):
        raise BadInput(f"{moments.count:g} rows are not {terms.least_rows} or more", where=where)
    width = terms.high - terms.low
    slack = _SLACK * width
    if not ((terms.low - slack <= moments.mean) & (moments.mean <= terms.high + slack)).all():
        raise BadInput("a mean lies outside the range of its signal", where=where)
    # Bhatia and Davis, 2000: readings within low..high vary no more around their mean than this.
    widest = (terms.high - moments.mean) * (moments.mean - terms.low) + _SLACK * width**2
    if not ((moments.variance >= 0) & (moments.variance <= widest)).all():
        raise BadInput("a variance is larger than the range of its signal allows", where=where)
    if np.linalg.eigvalsh(moments.covariance / np.outer(width, width)).min() < -_SLACK:
        raise BadInput("no readings can have these products", where=where)


def _usual(parts: list[Moments]) -> tuple[Floats, Floats, Floats]:
    """Return the median mean, the robust scale of means, and the largest variance that is let pass."""
    means = np.stack([p.mean for p in parts])
    variances = np.stack([p.variance for p in parts])
    middle = np.median(means, axis=0)
    between = 1.4826 * np.median(np.abs(means - middle), axis=0)
    within = np.sqrt(np.median(variances, axis=0))
    return middle, np.maximum(between, within), MOST_VARIANCE * np.median(variances, axis=0)


def _bounded(
    part: Moments, most_rows: float, middle: Floats, scale: Floats, most_variance: Floats
) -> _Bounded:
    mean = np.clip(part.mean, middle - REACH * scale, middle + REACH * scale)
    too_wide = part.variance > most_variance
    shrink = np.ones(len(mean))
    shrink[too_wide] = np.sqrt(most_variance[too_wide] / part.variance[too_wide])
    pulled = bool(too_wide.any() or (mean != part.mean).any())
    count = min(part.count, most_rows)
    products = part.products
    if pulled or count < part.count:
        products = products * np.outer(shrink, shrink) * (count / part.count)
    return _Bounded(Moments(count, mean, products), pulled)


def _same(a: Contribution, b: Contribution) -> bool:
    return (
        a.moments.count == b.moments.count
        and np.array_equal(a.moments.mean, b.moments.mean)
        and np.array_equal(a.moments.products, b.moments.products)
    )
