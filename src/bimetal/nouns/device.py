"""Device: a named thing that senses or acts."""

from __future__ import annotations

from dataclasses import dataclass

from bimetal.nouns.errors import BadInput

LONGEST_ID = 128
_TAKEN = frozenset("/+#\\")
"""What topics, their patterns and paths are made with."""
FLEET = ""
"""Stands for every device that was not met in training; no device can have this id."""


@dataclass(frozen=True, slots=True)
class Device:
    """A named thing that senses or acts, apart from its data and its connection.

    `key` is the raw public key it signs with (empty: none yet).
    Raises BadInput when the id cannot be used as one.
    """

    id: str
    kind: str = ""
    key: bytes = b""
    owner: str = ""
    place: str = ""

    def __post_init__(self) -> None:
        check_device_id(self.id)


def check_device_id(name: str) -> str:
    """Return the device id unchanged, or raise BadInput saying why it cannot be one."""
    if not name:
        raise BadInput("a device needs an id", hint="Give each device a short name")
    if len(name) > LONGEST_ID:
        raise BadInput(
            f"the device id is {len(name)} characters long", hint=f"Use at most {LONGEST_ID} characters"
        )
    if not name.isprintable() or not _TAKEN.isdisjoint(name) or name in (".", ".."):
        raise BadInput(
            f"the device id {name!a} holds a character that ids cannot have",
            hint="Leave out / \\ + # and control characters",
        )
    return name
