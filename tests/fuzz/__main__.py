"""Fuzz every decoder for so long, each in a process of its own. Run: make fuzz ARGS="--seconds 60 table".

With atheris (libFuzzer for Python, installed once beside the checkout) what is tried next follows what was
reached; where it cannot be installed, hurt copies of good bytes are tried blindly, and that is said. What
fails is kept in .cache/fuzz/<name> and tried first the next time.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "fuzz"
ATHERIS = CACHE / "atheris"


def install() -> bool:
    """Install atheris apart from everything else, once; returns whether it is there."""
    if not (ATHERIS / "atheris").is_dir():
        pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:")
        print(f"Installing atheris into {ATHERIS} ...", flush=True)
        subprocess.run([sys.executable, *pip, "--target", ATHERIS, "atheris>=2.3"], check=False)
    return (ATHERIS / "atheris").is_dir()


def one(name: str, seconds: float, guided: bool) -> int:
    """Fuzz one decoder in this process; returns how many inputs failed."""
    if guided:
        sys.path.insert(0, str(ATHERIS))
        import atheris  # type: ignore[import-not-found]

        with atheris.instrument_imports(include=["bimetal"]):
            from tests.fuzz.inside import INSIDE
            from tests.fuzz.outside import OUTSIDE
    else:
        from tests.fuzz.inside import INSIDE
        from tests.fuzz.outside import OUTSIDE
    decoder = (INSIDE | OUTSIDE)[name]
    folder = CACHE / name
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.glob("crash-*")):
        decoder.survives(path.read_bytes())
    if not guided:
        return _blindly(decoder, folder, seconds)
    for k, content in enumerate(decoder.seeds()):
        (folder / f"seed-{k}").write_bytes(content)
    limits = [f"-max_total_time={int(seconds)}", "-timeout=20", "-rss_limit_mb=4096", "-max_len=65536"]
    limits += [f"-artifact_prefix={folder}/", "-print_final_stats=1"]
    atheris.Setup([name, *limits, str(folder)], decoder.survives)
    atheris.Fuzz()
    return 0


def _blindly(decoder: object, folder: Path, seconds: float) -> int:
    from tests.fuzz.decoder import Decoder
    from tests.fuzz.mutate import mutations

    assert isinstance(decoder, Decoder)
    ends, tried = time.monotonic() + seconds, 0
    for content in mutations(decoder.seeds(), seed=time.time_ns()):
        try:
            decoder.survives(content)
        except Exception:
            traceback.print_exc()
            (folder / f"crash-{hashlib.sha256(content).hexdigest()[:16]}").write_bytes(content)
            return 1
        tried += 1
        if time.monotonic() > ends:
            break
    print(f"stat::number_of_executed_units: {tried}")
    return 0


def main() -> int:
    """Fuzz what is asked for, one after the other, and print a table."""
    from tests.fuzz.inside import INSIDE
    from tests.fuzz.outside import OUTSIDE

    words = argparse.ArgumentParser(prog="make fuzz", description=__doc__.splitlines()[0])
    words.add_argument("--seconds", type=float, default=60.0, help="for each decoder")
    words.add_argument("--only", help=argparse.SUPPRESS)
    words.add_argument("--blind", action="store_true", help="without atheris")
    words.add_argument("names", nargs="*", help=f"of {', '.join(INSIDE | OUTSIDE)}")
    asked = words.parse_args()
    if asked.only:
        return one(asked.only, asked.seconds, not asked.blind)
    guided = not asked.blind and install()
    if not guided:
        print("Without atheris: hurt copies of good bytes, not guided by what they reach.")
    print("| decoder | inputs tried | seconds | found |\n|---|---|---|---|", flush=True)
    return max(_apart(name, asked.seconds, guided) for name in asked.names or (INSIDE | OUTSIDE))


def _apart(name: str, seconds: float, guided: bool) -> int:
    began = time.monotonic()
    blind = [] if guided else ["--blind"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--only", name, "--seconds", str(seconds), *blind],
        capture_output=True, text=True, errors="replace", check=False, cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "error::RuntimeWarning"},
    )  # fmt: skip
    said = done.stdout + done.stderr
    tried = next((w.split()[-1] for w in said.splitlines() if "number_of_executed_units" in w), "?")
    found = "FAILED" if done.returncode else "nothing"
    print(f"| {name} | {tried} | {time.monotonic() - began:.0f} | {found} |", flush=True)
    if done.returncode:
        print("\n".join(said.splitlines()[-40:]), flush=True)
    return int(done.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
