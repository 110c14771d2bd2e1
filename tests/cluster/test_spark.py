"""Spark opens what is kept as it is."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from bimetal.keep.archive import Archive
from tests.cluster.engine import ROOT, python_of
from tests.keep.given import batch


@pytest.mark.slow
@pytest.mark.needs("java")
def test_spark_reads_segments_unchanged(tmp_path: Path) -> None:
    spark = python_of("spark")
    archive = Archive(tmp_path / "kept")
    for start in (0, 40):
        archive.segments.append(batch(40, start=start))
        archive.segments.seal()
    wanted = [
        {"device": device, "signal": signal, "time": ns // 1_000, "value": value, "quality": 0}
        for device, signal in sorted({(h.device, h.signal) for h in archive.segments.held()})
        for one in [archive.segments.read(device, signal)]
        for ns, value in zip(one.time_ns.tolist(), one.value.tolist(), strict=True)
    ]
    archive.close()
    done = subprocess.run(
        [spark, str(ROOT / "tests" / "cluster" / "spark_rows.py"), str(tmp_path / "kept" / "segments")],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert [json.loads(line) for line in done.stdout.splitlines()] == wanted
