"""Ledger: what of the clients must outlive this process, written down before anybody relies on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

Key: TypeAlias = tuple[str, str, str]
"""What kind of note it is, whose (a client's identifier, or nothing), and its name among those."""


Note: TypeAlias = tuple[str, bytes]
"""Something written down: the topic or the client it tells of, so that it can be erased, and what it says."""


class SessionStore(Protocol):
    """Where notes outlive the process: a map whose changes are durable and whole once `commit` returned."""

    def load(self) -> Mapping[Key, Note]:
        """Return every note there is. Raises BadInput when they cannot be read."""
        ...

    def commit(self, changes: Mapping[Key, Note | None]) -> None:
        """Write these notes, and remove those that are None, all or none of them; for any thread."""
        ...


Then: TypeAlias = Callable[[BaseException | None], None]
"""Called once what was noted before is durable, or with what went wrong."""

_LAZY_S = 0.05
"""Notes that nobody waits for are written together, so late."""


class Ledger:
    """Gathers notes and commits them in order, a thread's work at a time; without a store it keeps nothing.

    A later note under the same key takes the place of an earlier one that was not yet committed, so
    what came and went in between is never written. What could not be committed is tried again with
    what comes next.
    """

    def __init__(self, store: SessionStore | None) -> None:
        self._store = store
        self._changes: dict[Key, Note | None] = {}
        self._waiting: list[Then] = []
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    async def load(self) -> Mapping[Key, Note]:
        """Return what was written down before."""
        return await asyncio.to_thread(self._store.load) if self._store else {}

    def write(self, key: Key, note: Note | None) -> None:
        """Note something, or that it is no more."""
        if not self._store:
            return
        self._changes[key] = note
        if not self._task and not self._timer:
            self._timer = asyncio.get_running_loop().call_later(_LAZY_S, self._begin)

    def then(self, go: Then) -> None:
        """Call `go` when all that was noted until now is durable: at once where it is."""
        if self._changes or self._task:
            self._waiting.append(go)
            self._begin()
        else:
            go(None)

    async def flush(self) -> None:
        """Commit what was noted until now, as far as that is possible."""
        self._begin()
        if self._task:
            await asyncio.wait({self._task})

    def _begin(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._changes and not self._task:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="bimetal-mqtt-ledger")

    async def _run(self) -> None:
        failure = None
        while self._waiting or (self._changes and failure is None):
            changes, self._changes = self._changes, {}
            waiting, self._waiting = self._waiting, []
            failure = await self._commit(changes)
            if failure is not None:
                self._changes = changes | self._changes
            for go in waiting:
                self._call(go, failure)
        self._task = None

    def _call(self, go: Then, failure: BaseException | None) -> None:
        try:
            go(failure)
        except Exception as error:  # or nobody would be told anything any more
            words = {"message": "a note was kept, and who waited for it failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(words)

    async def _commit(self, changes: dict[Key, Note | None]) -> BaseException | None:
        try:
            if self._store and changes:
                await asyncio.to_thread(self._store.commit, changes)
        except Exception as error:
            return error
        return None
