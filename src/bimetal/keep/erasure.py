"""Erasure: what was asked to be erased, in a file each, which becomes the receipt and then names nobody.

ask ──> asked: the device, a salt, the digest of both ──> finish: the same without the name, and what went
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import msgspec

from bimetal.keep.disk import in_words, make_folder, sweep_unfinished, write_whole
from bimetal.nouns.device import check_device_id
from bimetal.nouns.errors import BadInput, NotFound

BEYOND = (
    "what was exported, copied or backed up before",
    "who was told: subscribers, notifications, other brokers, bridges, a fleet's streams",
    "models trained on its readings: train anew without them",
    "blocks that a disk has freed and not yet written over",
    "readings that come from now on, if something lets it in again",
)
"""What no erasure here can reach."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """One erasure; `device` is empty once it is done, and `found` says what went, and how much of it.

    Who knows a device's name can tell by `salt` and `digest` that this was its erasure. `interrupted` says
    that it was begun before, so that not all that went is counted; `models` name it still.
    """

    id: str
    asked_ns: int
    salt: str
    digest: str
    device: str = ""
    found: Mapping[str, int] = field(default_factory=dict[str, int])
    models: tuple[str, ...] = ()
    interrupted: bool = False

    def is_of(self, device: str) -> bool:
        """Whether it is this device's."""
        return self.digest == _digest(self.salt, device)


class ErasureFolder:
    """The erasures of one folder, for every process: one asks, the one that keeps the readings erases."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stamp: frozenset[tuple[str, int]] | None = None
        self._known: tuple[Erasure, ...] = ()

    def ask(self, device: str, random_bytes: Callable[[int], bytes], now_ns: int) -> Erasure:
        """Write down that a device is to be erased; returns when a power cut could not lose that."""
        check_device_id(device)
        salt = random_bytes(16).hex()
        asked = Erasure(random_bytes(8).hex(), now_ns, salt, _digest(salt, device), device)
        make_folder(self.folder)
        self._write(asked)
        return asked

    def all(self) -> tuple[Erasure, ...]:
        """Return every erasure, the oldest first; raises BadInput when one cannot be read."""
        try:
            with os.scandir(self.folder) as entries:
                stamp = frozenset((e.name, e.inode()) for e in entries if e.name.endswith(".json"))
        except FileNotFoundError:
            return ()
        if stamp != self._stamp:
            known = [_read(self.folder / name) for name, _ in stamp]
            self._known, self._stamp = tuple(sorted(known, key=lambda e: (e.asked_ns, e.id))), stamp
        return self._known

    def asked(self) -> tuple[Erasure, ...]:
        """Return those that are still to be done."""
        return tuple(erasure for erasure in self.all() if erasure.device)

    def find(self, number: str) -> Erasure:
        """Return one by its id; raises NotFound."""
        found = next((erasure for erasure in self.all() if erasure.id == number), None)
        if found is None:
            raise NotFound(f"there is no erasure {number!a}", where=str(self.folder))
        return found

    def bars(self, device: str, issued_ns: int) -> bool:
        """Whether a device was erased after a certificate of it was issued, which so counts no longer."""
        return any(e.asked_ns >= issued_ns and e.is_of(device) for e in self.all())

    def finish(self, asked: Erasure, found: Mapping[str, int], interrupted: bool) -> Erasure:
        """Write the receipt in place of the wish: the name goes."""
        done = replace(asked, device="", found=dict(found), interrupted=interrupted)
        self._write(done)
        sweep_unfinished(self.folder)
        return done

    def _write(self, erasure: Erasure) -> None:
        content = msgspec.json.format(msgspec.json.encode(erasure))
        write_whole(self.folder / f"{erasure.id}.json", content + b"\n")


def _digest(salt: str, device: str) -> str:
    return sha256(bytes.fromhex(salt) + device.encode()).hexdigest()


def _read(path: Path) -> Erasure:
    with in_words(path):
        content = path.read_bytes()
    try:
        return msgspec.json.decode(content, type=Erasure)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(
            f"this is no erasure: {error}", where=str(path), hint="Move it away, and erase that device anew"
        ) from None
