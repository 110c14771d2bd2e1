"""Rollout: the rules by which a bundle reaches devices. Observations in, orders out; nothing is sent here.

In this order:
1. A word from a device that is not in the deployment, or older than its last word, does not count.
2. A device whose self-test of this bundle did not give every golden vector equal halts the
   deployment, for good. So does one that arms it without having passed.
3. When halted, every device that was ever told to stage the bundle is told to return to the former
   one until it says it has; nobody is told anything else.
4. Waves go one after the other. A wave begins when every device of the waves before it is armed, and
   `soak_ns` has passed since.
5. No device is armed before every device of its wave has passed.
6. An order is given again until the device says it was followed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from bimetal.fleet.deployment import Act, Deployment, Observation, Order


@dataclass(frozen=True, slots=True)
class Decision:
    """The deployment as it is now, what devices should do, and how many words did not count."""

    deployment: Deployment
    orders: tuple[Order, ...]
    ignored: int


def decide(deployment: Deployment, observations: Iterable[Observation], now_ns: int) -> Decision:
    """Take what devices said and return what they should do next."""
    deployment, ignored = _observed(deployment, observations)
    deployment = _halted(deployment)
    if not deployment.halted:
        deployment = _settled(deployment, now_ns)
    orders = _back(deployment) if deployment.halted else _forth(deployment, now_ns)
    staged = frozenset(o.device for o in orders if o.act is Act.STAGE)
    return Decision(replace(deployment, ordered=deployment.ordered | staged), tuple(orders), ignored)


def halt(deployment: Deployment, why: str) -> Deployment:
    """Stop a deployment by hand; the next decision sends devices back."""
    return replace(deployment, halted=deployment.halted or why or "stopped by hand")


def _observed(deployment: Deployment, observations: Iterable[Observation]) -> tuple[Deployment, int]:
    """Rule 1."""
    devices = frozenset(deployment.devices)
    seen = dict(deployment.observed)
    ignored = 0
    for word in observations:
        last = seen.get(word.device)
        if word.device not in devices or (last is not None and word.time_ns < last.time_ns):
            ignored += 1
        else:
            seen[word.device] = word
    return replace(deployment, observed=seen), ignored


def _halted(deployment: Deployment) -> Deployment:
    """Rule 2."""
    if deployment.halted:
        return deployment
    for device in deployment.devices:
        if deployment.has_failed(device):
            seen = deployment.observed[device]
            why = f"{device} gave {seen.equal} of {deployment.vectors} golden vectors equal"
            return replace(deployment, halted=why)
        if deployment.is_armed(device) and not deployment.has_passed(device):
            return replace(deployment, halted=f"{device} runs the bundle without having passed its self-test")
    return deployment


def _settled(deployment: Deployment, now_ns: int) -> Deployment:
    """Note the waves that are found armed, in their order."""
    settled = list(deployment.settled_ns)
    for wave in deployment.waves[len(settled) :]:
        if not all(map(deployment.is_armed, wave)):
            break
        settled.append(now_ns)
    return replace(deployment, settled_ns=tuple(settled))


def _back(deployment: Deployment) -> list[Order]:
    """Rules 3 and 6."""
    return [
        Order(device, Act.RETURN, deployment.former)
        for device in sorted(deployment.ordered)
        if not deployment.has_returned(device)
    ]


def _forth(deployment: Deployment, now_ns: int) -> list[Order]:
    """Rules 4 to 6."""
    settled = len(deployment.settled_ns)
    if settled == len(deployment.waves):
        return []
    if settled and now_ns - deployment.settled_ns[-1] < deployment.soak_ns:
        return []
    wave = deployment.waves[settled]
    act = Act.ARM if all(map(deployment.has_passed, wave)) else Act.STAGE
    done = deployment.is_armed if act is Act.ARM else deployment.has_passed
    return [Order(device, act, deployment.bundle) for device in wave if not done(device)]
