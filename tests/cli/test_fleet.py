"""What every command past one machine asks for: servers, and TLS where others could listen."""

from __future__ import annotations

from pathlib import Path

import pytest

from bimetal.cli import door


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The files of a member of a fleet."""
    monkeypatch.setenv("BIMETAL_HOME", str(tmp_path / "home"))
    assert door.run(["certify", "127.0.0.1", "--member", "-o", str(tmp_path / "fleet")]) == 0
    names = {"--tls-cert": "127.0.0.1.pem", "--tls-key": "127.0.0.1.key", "--tls-ca": "ca.pem"}
    return {option: str(tmp_path / "fleet" / name) for option, name in names.items()}


@pytest.mark.parametrize("server", ["nats://10.0.0.1:4222", "tls://10.0.0.1:4222", "n1:4222", "nats://:4222"])
def test_nothing_crosses_the_network_in_the_clear(
    tmp_path: Path, server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["bridge", "--data", str(tmp_path), "--lab", "--mqtt-port", "0", "--cluster"]
    assert door.run([*words, server]) == 5
    assert "for all to see" in capsys.readouterr().err


def test_a_server_that_others_reach_is_written_with_tls_alone(tmp_path: Path, files: dict[str, str]) -> None:
    words = ["cluster", "-o", str(tmp_path / "n1.conf"), "--listen", "0.0.0.0:4222"]
    assert door.run(words) == 5
    assert not (tmp_path / "n1.conf").exists()
    secure = [word for pair in files.items() for word in pair]
    assert door.run([*words, *secure]) == 0
    assert files["--tls-key"] in (tmp_path / "n1.conf").read_text("utf-8")


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        ({"--tls-ca": None}, 2, "go together"),
        ({"--tls-key": None}, 1, "both the certificate and the key"),
        ({"--tls-key": "ca.pem"}, 1, "private key"),
        ({"--tls-ca": "127.0.0.1.key"}, 1, "certificates of an authority"),
        ({"--tls-cert": "none.pem"}, 4, "should be here"),
    ],
)
def test_files_that_are_not_what_they_should_be_are_said_before_they_are_needed(
    tmp_path: Path,
    files: dict[str, str],
    change: dict[str, str | None],
    code: int,
    says: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = files | {k: v and str(tmp_path / "fleet" / v) for k, v in change.items()}
    words = [word for option, path in given.items() if path for word in (option, path)]
    assert door.run(["cluster", "-o", str(tmp_path / "n1.conf"), *words]) == code
    assert says in capsys.readouterr().err
    assert not (tmp_path / "n1.conf").exists()
