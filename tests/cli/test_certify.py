"""`bimetal certify`: files for a device, for a server, and a list of what counts no longer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from bimetal.cli import door


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIMETAL_HOME", str(tmp_path / "home"))


def test_what_is_written_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "certs"
    assert door.run(["certify", "pump-1", "-o", str(folder), "--days", "7", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {
        "name": "pump-1",
        "cert": str(folder / "pump-1.pem"),
        "key": str(folder / "pump-1.key"),
        "ca": str(folder / "ca.pem"),
    }
    cert = x509.load_pem_x509_certificate((folder / "pump-1.pem").read_bytes())
    cert.verify_directly_issued_by(x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes()))
    assert (cert.not_valid_after_utc - cert.not_valid_before_utc).days == 7
    assert b"PRIVATE" not in (folder / "ca.pem").read_bytes() + (folder / "pump-1.pem").read_bytes()
    assert door.run(["certify", "127.0.0.1", "--server", "-o", str(folder)]) == 0
    assert "127.0.0.1.key is for 127.0.0.1 alone" in capsys.readouterr().out


def test_machines_of_a_fleet_have_an_authority_of_their_own(tmp_path: Path) -> None:
    folders = {"device": tmp_path / "devices", "member": tmp_path / "fleet"}
    assert door.run(["certify", "n1.example.com", "-o", str(folders["device"])]) == 0
    assert door.run(["certify", "n1.example.com", "--member", "-o", str(folders["member"])]) == 0
    device, member = (x509.load_pem_x509_certificate((f / "ca.pem").read_bytes()) for f in folders.values())
    assert device.public_key() != member.public_key()
    cert = x509.load_pem_x509_certificate((folders["member"] / "n1.example.com.pem").read_bytes())
    uses = cert.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH} == set(uses)
    for other in ("--server", "--revoke"):
        assert door.run(["certify", "n1", "--member", other, "-o", str(tmp_path / "none")]) == 2
    assert not (tmp_path / "none").exists()


def test_what_is_revoked_is_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "certs"
    assert door.run(["certify", "pump-1", "-o", str(folder)]) == 0
    assert door.run(["certify", "pump-2", "-o", str(folder)]) == 0
    capsys.readouterr()
    assert door.run(["certify", "pump-1", "--revoke", "-o", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["revoked"] == 1
    cert = x509.load_pem_x509_certificate((folder / "pump-1.pem").read_bytes())
    crl = x509.load_pem_x509_crl((folder / "revoked.pem").read_bytes())
    assert [one.serial_number for one in crl] == [cert.serial_number]
    assert door.run(["certify", "pump-9", "--revoke", "-o", str(folder)]) == 4


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["pump/1"], 1),
        (["..", "--server"], 1),
        (["x" * 300, "--server"], 1),
        (["pump-1", "--days", "0"], 2),
        (["--server"], 2),
    ],
)
def test_what_cannot_be_certified_leaves_nothing(tmp_path: Path, words: list[str], code: int) -> None:
    assert door.run(["certify", *words, "-o", str(tmp_path / "certs")]) == code
    assert not (tmp_path / "certs").exists()


def test_a_folder_that_cannot_be_one_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("not a folder")
    assert door.run(["certify", "pump-1", "-o", str(tmp_path / "file")]) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
