"""Pool: pure work on many things, here or side by side on Ray; what is done comes back as it is done.

Work must be pure: the same from the same, and nothing left behind. Then it does no harm that Ray begins a
task again, elsewhere, when the process that was at it dies: nobody can tell from what comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, TypeVar

from bimetal.nouns.errors import NotFound, Unsupported

T = TypeVar("T")
R = TypeVar("R")


class Pool(Protocol):
    """Whatever can do one thing to many."""

    def each(self, work: Callable[[T], R], given: Sequence[T]) -> Iterator[tuple[int, R]]:
        """Yield what comes of each with its place among them, in the order they are done; raises as work."""
        ...


@dataclass(frozen=True, slots=True)
class Here:
    """This process, one after another."""

    def each(self, work: Callable[[T], R], given: Sequence[T]) -> Iterator[tuple[int, R]]:
        """See Pool."""
        for k, one in enumerate(given):
            yield k, work(one)


@dataclass(frozen=True, slots=True)
class OnRay:
    """A Ray cluster at `address`, "" for the processors of this machine, each process with one task.

    What died is begun again `retries` times, -1 for as often as that takes. bimetal must be installed on
    every machine of the cluster, in the same version.
    """

    address: str = ""
    retries: int = -1

    def each(self, work: Callable[[T], R], given: Sequence[T]) -> Iterator[tuple[int, R]]:
        """See Pool; raises Unsupported without Ray or when processes die again and again."""
        try:
            ray: Any = import_module("ray")
        except ImportError:
            raise Unsupported("running on Ray needs the package ray", hint="pip install ray") from None
        begun = not ray.is_initialized()
        if begun:
            _connect(ray, self.address)
        waiting: dict[Any, int] = {}
        try:
            task = ray.remote(max_retries=self.retries)(work)
            waiting.update((task.remote(one), k) for k, one in enumerate(given))
            while waiting:
                for done in ray.wait(list(waiting))[0]:
                    k = waiting.pop(done)
                    yield k, self._got(ray, done)
        finally:
            for left in waiting:
                ray.cancel(left, force=True)
            if begun:
                ray.shutdown()

    def _got(self, ray: Any, done: Any) -> Any:
        try:
            return ray.get(done)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError):
            raise Unsupported(
                f"processes of Ray died at one task, {self.retries + 1} of them",
                hint="Memory may have run out: see Ray's logs",
            ) from None


def _connect(ray: Any, address: str) -> None:
    try:
        ray.init(address=address or "local", include_dashboard=False, log_to_driver=False)
    except (ConnectionError, ValueError, RuntimeError):
        raise NotFound(
            "no Ray cluster answers there", where=address, hint="`ray start --head` starts one"
        ) from None
