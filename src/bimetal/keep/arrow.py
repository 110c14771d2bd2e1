"""Arrow: the one door to pyarrow in this room, which brings no types of its own."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow  # pyright: ignore[reportMissingTypeStubs]
import pyarrow.csv  # pyright: ignore[reportMissingTypeStubs]
import pyarrow.parquet  # pyright: ignore[reportMissingTypeStubs]
from numpy.typing import NDArray

from bimetal.nouns.errors import BadInput

pa: Any = pyarrow
csv: Any = pyarrow.csv
pq: Any = pyarrow.parquet

Table = Any
"""A `pyarrow.Table`; pyarrow ships no types to name it by."""


def nanoseconds(times: Any) -> NDArray[np.int64]:
    """Return a column of times, of whatever unit, as nanoseconds since 1970 UTC."""
    return times.cast(pa.timestamp("ns", tz="UTC")).cast(pa.int64()).to_numpy()


@contextmanager
def parsing(where: str) -> Generator[None, None, None]:
    """Turn what pyarrow says of a file that it cannot read into an error of ours."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:  # KeyError: a column is not there
        raise BadInput(
            f"this segment cannot be read: {error}", where=where, hint="Put the file back from a backup"
        ) from None
