"""The server as other machines meet it: over TLS, by certificate or token, and never in the clear."""

from __future__ import annotations

import json
import os
import shutil
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from bimetal.cli import door
from tests.walks.test_serve import READING, Running, kept, start

MOSQUITTO = pytest.mark.skipif(
    shutil.which("mosquitto_pub") is None, reason="needs mosquitto_pub, of Mosquitto"
)


@pytest.fixture
def certs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Certificates of a server on this machine and of two pumps, from one authority."""
    monkeypatch.setenv("BIMETAL_HOME", str(tmp_path / "keys"))
    folder = str(tmp_path / "certs")
    assert door.run(["certify", "--server", "127.0.0.1", "-o", folder]) == 0
    for device in ("pump-1", "pump-2"):
        assert door.run(["certify", device, "-o", folder]) == 0
    return Path(folder)


def secure(certs: Path, *more: str) -> tuple[str, ...]:
    """The words that make a server secure."""
    files = ("--tls-cert", str(certs / "127.0.0.1.pem"), "--tls-key", str(certs / "127.0.0.1.key"))
    return (*files, "--https-port", "0", *more)


@pytest.fixture
def mutual(tmp_path: Path, certs: Path) -> Iterator[Running]:
    """A server that asks for certificates, and looks at what is revoked."""
    assert door.run(["certify", "pump-2", "--revoke", "-o", str(certs)]) == 0
    crl = ("--client-crl", str(certs / "revoked.pem"))
    running = start(tmp_path / "data", *secure(certs, "--client-ca", str(certs / "ca.pem"), *crl))
    yield running
    if running.process.poll() is None:
        running.stop(signal.SIGKILL)


def context(certs: Path, device: str | None) -> ssl.SSLContext:
    """What a device's HTTP client uses."""
    found = ssl.create_default_context(cafile=str(certs / "ca.pem"))
    if device:
        found.load_cert_chain(certs / f"{device}.pem", certs / f"{device}.key")
    return found


def post(running: Running, device: str, tls: ssl.SSLContext, headers: dict[str, str] | None = None) -> int:
    """Post a reading over HTTPS; return the status, 0 when the connection was refused."""
    url = f"https://127.0.0.1:{running.http_port}/api/v1/devices/{device}/readings"
    request = urllib.request.Request(url, READING, headers or {})
    try:
        with urllib.request.urlopen(request, timeout=10, context=tls) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def publish(running: Running, certs: Path, device: str, *more: str, topic: str = "", name: str = "") -> int:
    """Publish with mosquitto_pub at QoS 1; return its exit code."""
    place = ("-h", "127.0.0.1", "-p", str(running.mqtt_port), "--cafile", str(certs / "ca.pem"))
    said = (
        "-V",
        "5",
        "-q",
        "1",
        "-i",
        name or device,
        "-t",
        topic or f"readings/{device}",
        "-m",
        READING.decode(),
    )
    words = ["mosquitto_pub", *place, *said, *more]
    return subprocess.run(words, capture_output=True, timeout=20, check=False).returncode


def shown(certs: Path, device: str) -> tuple[str, ...]:
    """The words with which mosquitto_pub shows a device's certificate."""
    return ("--cert", str(certs / f"{device}.pem"), "--key", str(certs / f"{device}.key"))


@MOSQUITTO
def test_a_certificate_lets_its_device_in_over_mqtt_and_nobody_else(mutual: Running, certs: Path) -> None:
    assert publish(mutual, certs, "pump-1", *shown(certs, "pump-1")) == 0
    assert publish(mutual, certs, "pump-1") != 0
    assert publish(mutual, certs, "pump-9", *shown(certs, "pump-1")) != 0
    assert publish(mutual, certs, "pump-1", *shown(certs, "pump-1"), topic="readings/pump-2") != 0
    assert publish(mutual, certs, "pump-1", *shown(certs, "pump-1"), "-u", "pump-2") != 0
    assert publish(mutual, certs, "pump-2", *shown(certs, "pump-2")) != 0
    assert mutual.stop()[0] == 0
    assert set(kept(mutual.data)) == {("pump-1", "pressure"), ("pump-1", "flow")}


def test_a_certificate_lets_its_device_in_over_https_and_nobody_else(mutual: Running, certs: Path) -> None:
    own = context(certs, "pump-1")
    assert post(mutual, "pump-1", own) == 200
    assert post(mutual, "pump-2", own) == 401
    assert post(mutual, "pump-2", context(certs, "pump-2")) == 401
    assert post(mutual, "pump-1", context(certs, None)) == 0
    assert post(mutual, "pump-1", own, {"Origin": "https://evil.example"}) == 403
    assert post(mutual, "pump-1", own, {"Sec-Fetch-Site": "none"}) == 403
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"https://127.0.0.1:{mutual.http_port}/", timeout=10, context=own)
    assert caught.value.code == 404
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        urllib.request.urlopen(f"http://127.0.0.1:{mutual.http_port}/", timeout=10)
    assert mutual.stop()[0] == 0
    assert set(kept(mutual.data)) == {("pump-1", "pressure"), ("pump-1", "flow")}


def test_a_revoked_device_is_disconnected_within_two_seconds(mutual: Running, certs: Path) -> None:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="pump-1", protocol=mqtt.MQTTv5)
    client.tls_set_context(context(certs, "pump-1"))
    reasons: list[str] = []
    client.on_disconnect = lambda _c, _u, _f, reason, _p: reasons.append(str(reason))
    client.connect("127.0.0.1", mutual.mqtt_port)
    client.loop_start()
    try:
        sent = client.publish("readings/pump-1", READING, qos=1)
        sent.wait_for_publish(5)
        assert sent.is_published()
        assert reasons == []
        assert door.run(["certify", "pump-1", "--revoke", "-o", str(certs)]) == 0
        deadline = time.monotonic() + 4  # two seconds, and as much for a busy machine
        while not reasons and time.monotonic() < deadline:
            time.sleep(0.05)
        assert reasons
        assert reasons[0] == "Not authorized"
    finally:
        client.disconnect()
        client.loop_stop()


@MOSQUITTO
def test_with_tls_alone_a_device_shows_its_token(
    tmp_path: Path, certs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    capsys.readouterr()
    assert door.run(["token", "pump-1", "--data", str(data), "--json"]) == 0
    token = json.loads(capsys.readouterr().out)["token"]
    running = start(data, *secure(certs, "--host", "127.0.0.1"))
    try:
        assert publish(running, certs, "pump-1", "-u", "pump-1", "-P", token) == 0
        assert publish(running, certs, "pump-1", "-u", "pump-1", "-P", "guess") != 0
        assert publish(running, certs, "pump-1", *shown(certs, "pump-1")) != 0
        anyone = context(certs, None)
        assert post(running, "pump-1", anyone, {"Authorization": f"Bearer {token}"}) == 200
        assert post(running, "pump-1", anyone) == 401
    finally:
        assert running.stop()[0] == 0


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (("--host", "0.0.0.0"), "without TLS", 5),
        (("--host", "0.0.0.0", "--lab"), "without TLS", 5),
        (("--host", "0.0.0.0", "--lab", "TLS"), "--lab believes everybody", 5),
        (("--host", "0.0.0.0", "TLS"), "no device has a token", 5),
        (("--host", "plant.example", "TLS", "CA"), "plant.example", 1),
        (("--tls-cert", "x.pem"), "both", 1),
        (("TLS", "--client-crl", "x.pem"), "--client-ca", 1),
        (("TLS", "CA", "--client-crl", "x.pem"), "x.pem", 4),
        (("--tls-cert", "x.pem", "--tls-key", "x.pem", "--lab"), "x.pem", 4),
    ],
)
def test_a_door_that_would_be_open_is_refused_in_words(
    tmp_path: Path,
    certs: Path,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    said: str,
    code: int,
) -> None:
    stands_for = {"TLS": secure(certs), "CA": ("--client-ca", str(certs / "ca.pem"))}
    spelled = [w for word in words for w in stands_for.get(word, (word,))]
    capsys.readouterr()
    ports = ["--mqtt-port", "0", "--http-port", "0"]
    assert door.run(["serve", "--data", str(tmp_path / "data"), *ports, *spelled]) == code
    err = capsys.readouterr().err
    assert said in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.skipif(os.name != "posix", reason="modes as POSIX has them")
def test_keys_are_for_their_owner_alone(certs: Path) -> None:
    assert all(path.stat().st_mode & 0o077 == 0 for path in certs.glob("*.key"))
    assert sorted(p.name for p in certs.iterdir()) == sorted(
        ["ca.pem", *(f"{n}.{kind}" for n in ("127.0.0.1", "pump-1", "pump-2") for kind in ("key", "pem"))]
    )


def test_who_was_erased_stays_out_until_it_has_a_new_certificate(mutual: Running, certs: Path) -> None:
    assert post(mutual, "pump-1", context(certs, "pump-1")) == 200
    time.sleep(1.1)  # a certificate says when it was made to the second
    assert door.run(["erase", "pump-1", "--data", str(mutual.data), "--yes"]) == 0
    assert post(mutual, "pump-1", context(certs, "pump-1")) == 401
    time.sleep(1.1)
    assert door.run(["certify", "pump-1", "-o", str(certs)]) == 0
    assert post(mutual, "pump-1", context(certs, "pump-1")) == 200
    assert mutual.stop()[0] == 0
    assert kept(mutual.data) == {("pump-1", signal): 1 for signal in ("pressure", "flow")}
