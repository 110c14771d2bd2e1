"""A fleet as its users meet it: bridge, workers, JetStream between them; a kill changes no answer."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from bimetal.bundle.seal import read
from bimetal.cluster.jet import Jet, connect
from bimetal.cluster.name import Fleet
from bimetal.spine import stream_of
from bimetal.stream.parcel import outcome_bytes, outcomes_of, parcel_of
from bimetal.stream.shard_run import ShardRun
from bimetal.targets.present import fastest
from tests.cluster.engine import ROOT, environment, servers
from tests.cluster.fleet_case import every
from tests.wire.transports.mosquitto import Mosquitto

pytestmark = pytest.mark.slow
SHARDS = 8
START_MS = 1_767_225_600_000


def bimetal(*arguments: str, home: Path) -> subprocess.Popen[str]:
    """Start a command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "bimetal", *arguments],
        env=environment() | {"BIMETAL_HOME": str(home)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with keys and a model that was learned from the sample."""
    folder = tmp_path_factory.mktemp("plant")
    for line in (
        f"sample -o {folder / 'plant.csv'}",
        f"train {folder / 'plant.csv'} -o {folder / 'plant.bm'}",
    ):
        said = bimetal(*line.split(), home=folder / "keys").communicate(timeout=120)
        assert not said[1].count("Traceback"), said
    return folder


def port_of(process: subprocess.Popen[str]) -> int:
    """The port in a command's first line on standard error."""
    assert process.stderr
    line = process.stderr.readline()
    assert "127.0.0.1:" in line, line + process.stderr.read()
    return int(line.split("127.0.0.1:")[1].split()[0])


def publish(port: int, messages: list[tuple[str, bytes]], gap_s: float) -> int:
    """Publish at QoS 1, one after the other; returns how many were acknowledged."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="tester", protocol=mqtt.MQTTv5)
    client.connect("127.0.0.1", port)
    client.loop_start()
    done = 0
    for topic, body in messages:
        sent = client.publish(topic, body, qos=1)
        sent.wait_for_publish(20)
        done += sent.is_published()
        time.sleep(gap_s)
    client.disconnect()
    client.loop_stop()
    return done


def messages(signals: list[str], count: int) -> list[tuple[str, bytes]]:
    """What eight machines send: columns of ten rows, with a jump in the middle of one of them."""
    made: list[tuple[str, bytes]] = []
    for k in range(count):
        machine, turn = k % 8, k // 8
        ts = [START_MS + (turn * 10 + row) * 1000 for row in range(10)]
        jump = 1e4 if machine == 3 and turn > count // 16 else 1.0
        columns = {
            name: [round(jump * (n + 1) + row % 3, 3) for row in range(10)] for n, name in enumerate(signals)
        }
        made.append((f"readings/machine-{machine}", json.dumps({"ts": ts} | columns).encode()))
    return made


async def compare(jet: Jet, fleet: Fleet, run: ShardRun) -> int:
    """Compare what workers said with what one machine says of the log; returns the number of rows."""
    names, rows = fleet.of(run.name), 0
    for shard in range(fleet.shards):
        state, wanted = run.start(), []
        for one in await every(jet, fleet.log, fleet.subject(shard)):
            state, outcome = run.push(state, one.sequence, parcel_of(one.data))
            wanted += [] if outcome.silent else [outcome_bytes([outcome])]
        said = [o for m in await every(jet, names.said, names.said_of(shard)) for o in outcomes_of(m.data)]
        assert [outcome_bytes([one]) for one in said] == wanted, shard
        rows += sum(len(one) for one in said)
    return rows


def test_what_was_acknowledged_is_scored_once_whoever_is_killed(plant: Path, tmp_path: Path) -> None:
    keys, model = plant / "keys", plant / "plant.bm"
    bundle = read(model).bundle
    run = ShardRun.of(stream_of("plant", bundle, fastest()))
    sent = messages([s.name for s in run.reorder.signals], 160)
    with servers(tmp_path) as up:
        where = ("--cluster", up.urls[0], "--shards", str(SHARDS))
        bridge = bimetal(
            "bridge", "--data", str(tmp_path / "b"), "--mqtt-port", "0", "--lab", *where, home=keys
        )
        workers = [bimetal("worker", str(model), "--json", *where, home=keys) for _ in range(2)]
        try:
            port = port_of(bridge)
            assert publish(port, sent[:60], 0.03) == 60
            workers[0].send_signal(signal.SIGKILL)
            assert publish(port, sent[60:], 0.03) == 100

            async def settled() -> int:
                jet = await connect(up.urls)
                fleet, until = Fleet(shards=SHARDS), time.monotonic() + 40
                while True:
                    try:
                        # The last row of each machine waits until time lets it through.
                        if (rows := await compare(jet, fleet, run)) >= 10 * len(sent):
                            return rows
                    except AssertionError:
                        if time.monotonic() > until:
                            raise
                    assert time.monotonic() < until
                    await asyncio.sleep(0.5)

            assert asyncio.run(settled()) == 10 * len(sent)
            workers[1].terminate()
            out, err = workers[1].communicate(timeout=30)
            assert workers[1].returncode == 0, err
            assert json.loads(out)["events"] > 0
            bridge.terminate()
            assert "parcels were sent" in bridge.communicate(timeout=20)[1]
        finally:
            for one in (bridge, *workers):
                one.kill()
                one.wait(10)


async def lies_there(urls: list[str]) -> list[int]:
    """The instants of all that a fleet was given, in milliseconds."""
    jet, fleet = await connect(urls), Fleet(shards=SHARDS)
    found = [m for k in range(SHARDS) for m in await every(jet, fleet.log, fleet.subject(k))]
    return [int(t) for m in found for t in parcel_of(m.data).batch.time_ns // 10**6]


def test_nothing_is_acknowledged_while_the_server_is_away(tmp_path: Path) -> None:
    with servers(tmp_path) as up:
        where = ("--cluster", up.urls[0], "--shards", str(SHARDS))
        bridge = bimetal(
            "bridge", "--data", str(tmp_path / "b"), "--mqtt-port", "0", "--lab", *where, home=tmp_path
        )
        try:
            port = port_of(bridge)
            body = b'{"ts": 1767225600000, "pressure": 3.25}'
            assert publish(port, [("readings/a", body)], 0) == 1
            up.kill(0)
            client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="a", protocol=mqtt.MQTTv5)
            client.connect("127.0.0.1", port)
            client.loop_start()
            sent = client.publish("readings/a", body.replace(b"600000", b"601000"), qos=1)
            time.sleep(3)
            assert not sent.is_published()
            up.start(0)
            sent.wait_for_publish(20)
            assert sent.is_published()
            client.disconnect()
            client.loop_stop()

            assert asyncio.run(lies_there(up.urls)) == [START_MS, START_MS + 1000]
        finally:
            bridge.kill()
            bridge.wait(10)


@pytest.mark.needs("mosquitto")
def test_a_bridge_reads_a_broker_and_lets_devices_of_other_machines_in(tmp_path: Path) -> None:
    certs, data = tmp_path / "certs", tmp_path / "b"
    said = [
        bimetal(*line.split(), home=tmp_path).communicate(timeout=60)[0]
        for line in (
            f"certify --server 127.0.0.1 -o {certs}",
            f"token pump-1 --data {data} --json",
        )
    ]
    token = json.loads(said[1])["token"]
    broker = Mosquitto(tmp_path / "mosquitto").start()
    (tmp_path / "brokers.toml").write_text(f'plant = "mqtt://127.0.0.1:{broker.port}/plant/{{device}}"')
    with servers(tmp_path) as up:
        bridge = bimetal(
            *("bridge", "--data", str(data), "--mqtt-port", "0", "--brokers", str(tmp_path / "brokers.toml")),
            *("--listen-cert", str(certs / "127.0.0.1.pem"), "--listen-key", str(certs / "127.0.0.1.key")),
            *("--cluster", up.urls[0], "--shards", str(SHARDS)),
            home=tmp_path,
        )
        try:
            port = port_of(bridge)
            assert bridge.stderr
            while "is read" not in (line := bridge.stderr.readline()):
                assert line, "it ended"
            broker.publish("plant/pump-2", [b'{"ts": 1767225601000, "pressure": 1}', *[b"nonsense"] * 500])
            client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="pump-1", protocol=mqtt.MQTTv5)
            client.username_pw_set("pump-1", token)
            client.tls_set(str(certs / "ca.pem"))
            client.connect("127.0.0.1", port)
            client.loop_start()
            sent = client.publish("readings/pump-1", b'{"ts": 1767225600000, "pressure": 1}', qos=1)
            sent.wait_for_publish(20)
            assert sent.is_published()
            revoked = bimetal("token", "pump-1", "--data", str(data), "--revoke", home=tmp_path)
            assert revoked.communicate(timeout=60)
            until = time.monotonic() + 20
            while client.is_connected():
                assert time.monotonic() < until
                time.sleep(0.05)
            client.disconnect()
            client.loop_stop()
            assert sorted(asyncio.run(lies_there(up.urls))) == [START_MS, START_MS + 1000]
            bridge.terminate()
            assert len(bridge.communicate(timeout=20)[1].splitlines()) < 20  # not a line for each
        finally:
            bridge.kill()
            bridge.wait(10)
            broker.stop()


def test_a_command_without_a_server_says_so(tmp_path: Path) -> None:
    environment()
    one = bimetal(
        "bridge", "--data", str(tmp_path), "--lab", "--cluster", "nats://127.0.0.1:9", home=tmp_path
    )
    _, err = one.communicate(timeout=60)
    assert one.returncode == 1
    assert "no NATS server answers there" in err
    assert "Traceback" not in err
