"""More of the clients that people use: MQTT.js, Eclipse Paho in C, aiomqtt, gmqtt; each where it is there.

Every one subscribes, publishes at each quality of service, and hears what it said, in order.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bench.house import ROOT
from tests.wire.transports.mqtt_peer import House, house

MODULES = Path(os.environ.get("BIMETAL_NODE_MODULES", ROOT / "node_modules"))
EXPECTED = [f"plant/a {qos} {k}" for qos in (0, 1, 2) for k in range(10)]

SCRIPT = """
const mqtt = require("mqtt");
const [port, version] = process.argv.slice(1).map(Number);
const place = { host: "127.0.0.1", port, protocolVersion: version, clientId: "js", reconnectPeriod: 0 };
const client = mqtt.connect(place);
const heard = [];
client.on("error", (error) => { console.error(error); process.exit(1); });
client.on("message", (topic, payload, packet) => {
  heard.push(`${topic} ${packet.qos} ${payload}`);
  if (heard.length === 30) { console.log(heard.join("\\n")); client.end(); }
});
client.on("connect", async () => {
  await client.subscribeAsync("plant/+", { qos: 2 });
  for (const qos of [0, 1, 2])
    for (let k = 0; k < 10; k++) await client.publishAsync("plant/a", String(k), { qos });
});
"""

PAHO_C = """
#include <MQTTClient.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static void check(int code, const char *what) {
  if (code != 0) { fprintf(stderr, "%s: %d\\n", what, code); exit(1); }
}
int main(int argc, char **argv) {
  int five = atoi(argv[2]) == 5;
  MQTTClient client;
  MQTTClient_createOptions made = MQTTClient_createOptions_initializer;
  MQTTClient_connectOptions plain = MQTTClient_connectOptions_initializer;
  MQTTClient_connectOptions newer = MQTTClient_connectOptions_initializer5;
  made.MQTTVersion = five ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
  plain.MQTTVersion = MQTTVERSION_3_1_1;
  const int memory = MQTTCLIENT_PERSISTENCE_NONE;
  check(MQTTClient_createWithOptions(&client, argv[1], "c", memory, NULL, &made), "create");
  if (five) {
    MQTTResponse answer = MQTTClient_connect5(client, &newer, NULL, NULL);
    check(answer.reasonCode, "connect");
    MQTTResponse_free(answer);
    answer = MQTTClient_subscribe5(client, "plant/+", 2, NULL, NULL);
    if (answer.reasonCode != 2) check(1, "subscribe");
    MQTTResponse_free(answer);
  } else {
    check(MQTTClient_connect(client, &plain), "connect");
    check(MQTTClient_subscribe(client, "plant/+", 2), "subscribe");
  }
  for (int n = 0; n < 30; n++) {
    char text[8];
    MQTTClient_message said = MQTTClient_message_initializer;
    MQTTClient_deliveryToken token;
    sprintf(text, "%d", n % 10);
    said.payload = text, said.payloadlen = (int)strlen(text), said.qos = n / 10;
    if (five) check(MQTTClient_publishMessage5(client, "plant/a", &said, &token).reasonCode, "publish");
    else check(MQTTClient_publishMessage(client, "plant/a", &said, &token), "publish");
    if (said.qos) check(MQTTClient_waitForCompletion(client, token, 5000), "acknowledged");
    char *topic; int length; MQTTClient_message *heard = NULL;
    check(MQTTClient_receive(client, &topic, &length, &heard, 5000), "receive");
    if (!heard) check(1, "heard");
    printf("%s %d %.*s\\n", topic, heard->qos, heard->payloadlen, (char *)heard->payload);
    MQTTClient_freeMessage(&heard);
    MQTTClient_free(topic);
  }
  check(five ? MQTTClient_disconnect5(client, 1000, 0, NULL) : MQTTClient_disconnect(client, 1000), "leave");
  MQTTClient_destroy(&client);
}
"""


def said(*words: str) -> list[str]:
    """What a program prints."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=40, cwd=MODULES.parent)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


async def answered(shelter: House, *words: str) -> None:
    """Run a client; everything it said was kept, and it heard it all."""
    assert await asyncio.to_thread(said, *words) == EXPECTED
    await shelter.until(30)
    assert [f"{m.topic} {m.qos} {m.payload.decode()}" for m in shelter.messages] == EXPECTED


@pytest.mark.needs("node")
@pytest.mark.parametrize("version", ["4", "5"])
def test_mqtt_js(version: str) -> None:
    if not (MODULES / "mqtt").exists():
        pytest.skip("needs MQTT.js: npm install mqtt, or $BIMETAL_NODE_MODULES")

    async def walk() -> None:
        async with house() as shelter:
            await answered(shelter, "node", "-e", SCRIPT, str(shelter.listener.port), version)

    asyncio.run(walk())


@pytest.fixture(scope="module")
def paho_c(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A client in C, built against the library of Eclipse."""
    folder = tmp_path_factory.mktemp("paho")
    (folder / "client.c").write_text(PAHO_C)
    built = ["gcc", "-o", str(folder / "client"), str(folder / "client.c"), "-lpaho-mqtt3c"]
    done = subprocess.run(built, capture_output=True, text=True)
    if "MQTTClient.h" in done.stderr:
        pytest.skip("needs Eclipse Paho for C: libpaho-mqtt-dev of Debian")
    assert done.returncode == 0, done.stderr
    return str(folder / "client")


@pytest.mark.needs("gcc")
@pytest.mark.parametrize("version", ["4", "5"])
def test_paho_in_c(paho_c: str, version: str) -> None:
    async def walk() -> None:
        async with house() as shelter:
            await answered(shelter, paho_c, f"tcp://127.0.0.1:{shelter.listener.port}", version)

    asyncio.run(walk())


@pytest.mark.parametrize("version", [4, 5])
def test_aiomqtt(version: int) -> None:
    aiomqtt: Any = pytest.importorskip("aiomqtt", reason="needs aiomqtt, which is not installed here")

    async def walk() -> None:
        async with house() as shelter:
            protocol = aiomqtt.ProtocolVersion(version)
            async with aiomqtt.Client("127.0.0.1", shelter.listener.port, protocol=protocol) as client:
                await client.subscribe("plant/+", qos=2)
                heard: list[str] = []
                for line in EXPECTED:
                    topic, qos, text = line.split(" ")
                    await client.publish(topic, text, qos=int(qos))
                async for message in client.messages:
                    heard.append(f"{message.topic} {message.qos} {message.payload.decode()}")
                    if len(heard) == len(EXPECTED):
                        break
            assert heard == EXPECTED

    asyncio.run(walk())


@pytest.mark.parametrize("version", [4, 5])
def test_gmqtt(version: int) -> None:
    gmqtt: Any = pytest.importorskip("gmqtt", reason="needs gmqtt, which is not installed here")

    async def walk() -> None:
        async with house() as shelter:
            client = gmqtt.Client("gmqtt")
            heard: list[str] = []
            full, subscribed = asyncio.Event(), asyncio.Event()

            async def on_message(_client: Any, topic: str, payload: bytes, qos: int, _properties: Any) -> int:
                heard.append(f"{topic} {qos} {payload.decode()}")
                if len(heard) == len(EXPECTED):
                    full.set()
                return 0

            client.on_message = on_message
            client.on_subscribe = lambda *_: subscribed.set()
            await client.connect("127.0.0.1", shelter.listener.port, version=version)
            client.subscribe("plant/+", qos=2)
            await asyncio.wait_for(subscribed.wait(), 10)
            for line in EXPECTED:
                topic, qos, text = line.split(" ")
                client.publish(topic, text, qos=int(qos))
            await asyncio.wait_for(full.wait(), 10)
            await client.disconnect()
            assert heard == EXPECTED

    asyncio.run(walk())
