"""States: what streams must remember of each device, as files that are whole or refused.

A file is MAGIC, one byte of format, a BLAKE2b digest of the rest, and then MessagePack. What is
remembered of a device is bytes that only its stream can read, so that it can be erased from here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from urllib.parse import quote

import msgspec

from bimetal.keep.disk import in_words, make_folder, remove_durably, sweep_unfinished, write_whole
from bimetal.nouns.errors import BadInput, Unsupported

VERSION = 2
MAGIC = b"BMCK"
_DIGEST_BYTES = 32
_HEAD = len(MAGIC) + 1 + _DIGEST_BYTES
_ANEW = "Remove it: the model begins anew"


@dataclass(frozen=True, slots=True)
class States:
    """What a stream remembers: `sequence` is the last batch that is in it, `key` whose states they are."""

    sequence: int
    key: bytes
    devices: Mapping[str, bytes]

    def without(self, device: str) -> States:
        """Return it without a device, as erasure asks for."""
        return States(self.sequence, self.key, {d: s for d, s in self.devices.items() if d != device})


class _File(msgspec.Struct):
    sequence: int
    key: bytes
    devices: dict[str, bytes]


class StateFolder:
    """The states of all streams of an installation, one file each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = Lock()
        make_folder(folder)
        sweep_unfinished(folder)

    def path_of(self, name: str) -> Path:
        """Return where the states of the stream of that name are."""
        return self.folder / f"{quote(name, safe=' ')}.state"

    def save(self, name: str, states: States) -> None:
        """Put the states of a stream in place of those before; raises as `write_whole` does."""
        with self._lock:
            write_whole(self.path_of(name), to_bytes(states))

    def load(self, name: str) -> States:
        """Return the states of a stream; raises NotFound, BadInput when damaged, Unsupported when newer."""
        return _read(self.path_of(name))

    def keep_only(self, names: Collection[str]) -> None:
        """Remove the states of every stream but these: one that did not watch cannot go on."""
        wanted = {self.path_of(name) for name in names}
        with self._lock:
            remove_durably([path for path in self.folder.glob("*.state") if path not in wanted])

    def erase(self, device: str) -> int:
        """Remove what is remembered of a device, and unreadable files; returns how many streams knew it."""
        found = 0
        with self._lock:
            for path in sorted(self.folder.glob("*.state")):
                try:
                    states = _read(path)
                except (BadInput, Unsupported):
                    remove_durably([path])
                    continue
                if device in states.devices:
                    write_whole(path, to_bytes(states.without(device)))
                    found += 1
        return found


def to_bytes(states: States) -> bytes:
    """Return states as the bytes of a file."""
    body = msgspec.msgpack.encode(_File(states.sequence, states.key, dict(states.devices)))
    return MAGIC + bytes([VERSION]) + _digest(body) + body


def from_bytes(content: bytes, where: str = "") -> States:
    """Return the states in these bytes; raises BadInput when they are damaged, Unsupported when newer."""
    if content[: len(MAGIC)] != MAGIC or len(content) < _HEAD or content[len(MAGIC)] < VERSION:
        raise BadInput("this holds no states of bimetal", where=where, hint=_ANEW)
    if content[len(MAGIC)] > VERSION:
        raise Unsupported(
            f"these states have format {content[len(MAGIC)]}, and this bimetal reads up to {VERSION}",
            where=where,
            hint="Install the bimetal that wrote them, or a newer one",
        )
    body = content[_HEAD:]
    if _digest(body) != content[len(MAGIC) + 1 : _HEAD]:
        raise BadInput("these states are damaged", where=where, hint=_ANEW)
    try:
        read = msgspec.msgpack.decode(body, type=_File)
    except (msgspec.MsgspecError, ValueError) as error:
        raise BadInput(f"these states cannot be read: {error}", where=where, hint=_ANEW) from None
    return States(read.sequence, read.key, read.devices)


def _read(path: Path) -> States:
    with in_words(path):
        content = path.read_bytes()
    return from_bytes(content, str(path))


def _digest(body: bytes) -> bytes:
    return blake2b(body, digest_size=_DIGEST_BYTES).digest()
