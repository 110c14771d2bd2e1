"""Resume: streams go on where a stop or a kill left them, and are saved so that they can."""

from __future__ import annotations

from collections.abc import Mapping

from bimetal.keep.archive import Archive
from bimetal.nouns.errors import BadInput, Unsupported
from bimetal.stream.checkpoint import Checkpoint, from_states, to_states
from bimetal.stream.stream import Stream


def load(archive: Archive, stream: Stream) -> bool:
    """Let a stream go on from what was saved of it; False when that cannot be.

    It cannot when nothing was saved, what was saved is damaged, newer or another model's, and when
    the batches that came afterwards are not there in the order they came in.
    """
    stream.scorer.warm()
    try:
        checkpoint = from_states(archive.states.load(stream.name), stream.key)
        if checkpoint.sequence > archive.segments.sequence:
            return False  # the folder was put back from a backup
        archive.segments.replay(checkpoint.sequence)
    except (BadInput, Unsupported):
        return False
    stream.go_on(checkpoint)
    return True


def begin(archive: Archive, stream: Stream, since_ns: int, now_ns: int) -> None:
    """Let a stream begin anew: what was kept since an instant sets its state, and nothing is said of it."""
    names = [s.name for s in stream.reorder.signals]
    stream.catch_up(archive.segments.batch(signals=names, since_ns=since_ns), now_ns)
    stream.sequence = archive.segments.sequence


def save(archive: Archive, checkpoints: Mapping[str, Checkpoint], sequence: int) -> None:
    """Save what streams remember, by name, so that only what comes later is needed to go on.

    What they have said until then must be safe. Without streams nothing before `sequence` is needed.
    Raises as `write_whole` does; then the checkpoints before are as good as they were.
    """
    for name, checkpoint in checkpoints.items():
        archive.states.save(name, to_states(checkpoint))
    archive.segments.pin(min((c.sequence for c in checkpoints.values()), default=sequence))
