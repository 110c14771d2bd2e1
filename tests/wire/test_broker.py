"""A file of brokers is read as meant, or refused in words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.house import ROOT
from bimetal.nouns.errors import BadInput, Error, NotAllowed, NotFound
from bimetal.wire.broker import Broker, read_brokers


def brokers(folder: Path, text: str) -> tuple[Broker, ...]:
    path = folder / "brokers.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return read_brokers(path)


def test_one_line_is_a_broker(tmp_path: Path) -> None:
    (one,) = brokers(tmp_path, 'plant = "mqtts://me%40x:s%3Acret@b.example/plant/{device}/telemetry"')
    assert (one.name, one.host, one.port, one.secure) == ("plant", "b.example", 8883, True)
    assert (one.user, one.password, one.filter) == ("me@x", "s:cret", "plant/+/telemetry")
    assert one.readings("plant/pump-1/telemetry") == "readings/pump-1"


def test_more_can_be_said(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("open sesame\n")
    one, two = brokers(
        tmp_path,
        """
        [mill]
        url = "mqtts://reader@[::1]:443/$share/a/mill/+/{device}/#"
        ca = "ca.pem"
        cert = "own.pem"
        key = "own.key"
        password_file = "secret"
        alpn = "x-amzn-mqtt-ca"
        format = "senml"
        client_id = "mill-reader"
        version = "3.1.1"
        [boiler]
        url = "mqtt://10.1.2.3//boiler/?/all"
        device = "boiler-1"
        plain = true
        """,
    )
    assert (one.host, one.port, one.filter, one.password) == (
        "::1",
        443,
        "$share/a/mill/+/+/#",
        "open sesame",
    )
    assert one.readings("mill/x/pump/a/b") == "readings/pump/senml"
    assert one.ca == tmp_path / "ca.pem"
    assert one.own
    assert one.own.key == tmp_path / "own.key"
    assert (one.level, one.client_id, one.alpn) == (4, "mill-reader", "x-amzn-mqtt-ca")
    assert (two.filter, two.readings("/boiler/?/all"), two.secure) == (
        "/boiler/?/all",
        "readings/boiler-1",
        False,
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no broker"),
        ("plant = ", "no file of brokers"),
        ("plant = 3", "no file of brokers"),
        ("[plant]", "url"),
        ('[plant]\nurl = "mqtts://h/{device}"\npasswort = "x"', "passwort"),
        ('[plant]\nurl = "mqtts://h/{device}"\nplain = "yes"', "plain"),
        ('plant = ""', "no URL"),
        ('plant = "b.example"', "no URL"),
        ('plant = "http://h/{device}"', "no URL"),
        ('plant = "mqtts:///{device}"', "no URL"),
        ('plant = "mqtts://h"', "no URL"),
        ('plant = "mqtts://h/"', "no URL"),
        ('plant = "mqtts://h:99999/{device}"', "no URL"),
        ('plant = "mqtts://h:0/{device}"', "no URL"),
        ('plant = "mqtts://h:x/{device}"', "no URL"),
        ('plant = "mqtts://[::1/{device}"', "no URL"),
        ('plant = "mqtts://h/a/b"', "whose readings"),
        ('plant = "mqtts://h/{device}/{device}"', "whose readings"),
        ('[plant]\nurl = "mqtts://h/{device}"\ndevice = "x"', "whose readings"),
        ('plant = "mqtts://h/a{device}"', "no topics"),
        ('plant = "mqtts://h/a+/{device}"', "no topics"),
        ('plant = "mqtts://h/#/{device}"', "no topics"),
        ('plant = "mqtts://h/{Device}"', "no topics"),
        (f'plant = "mqtts://h/{{device}}{"/x" * 100}"', "no topics"),
        (f'plant = "mqtts://h/{{device}}/{"ü" * 600}"', "no topics"),
        ('plant = "mqtts://h/{device}/\\u0000"', "no topics"),
        ('[plant]\nurl = "mqtts://h/{device}"\nformat = "xml"', "no format"),
        ('[plant]\nurl = "mqtts://h/{device}"\nversion = "4"', "no version"),
        ('[plant]\nurl = "mqtts://h/{device}"\ncert = "a.pem"', "belong together"),
        ("plant = \udcff", "cannot be read"),
        ("[" * 5_000, "no file of brokers"),
    ],
)
def test_what_is_no_broker_is_refused_in_words(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadInput) as refused:
        brokers(tmp_path, text)
    assert words in refused.value.sentence()
    assert "brokers.toml" in refused.value.sentence()


def test_what_the_docs_write_is_read(tmp_path: Path) -> None:
    (tmp_path / "plant.password").write_text("sesame")
    page = (ROOT / "docs" / "how-to" / "serve.md").read_text("utf-8")
    found = re.findall(r'```toml title="brokers.toml"\n(.*?)```', page, re.DOTALL)
    assert [len(brokers(tmp_path, text)) for text in found] == [1, 3]


def test_in_the_clear_only_where_it_is_said(tmp_path: Path) -> None:
    assert brokers(tmp_path, 'plant = "mqtt://localhost/{device}"')[0].port == 1883
    with pytest.raises(NotAllowed, match="plain = true"):
        brokers(tmp_path, 'plant = "mqtt://10.0.0.1/{device}"')


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"nothing\.toml"):
        read_brokers(tmp_path / "nothing.toml")
    with pytest.raises(Error, match="secret"):
        brokers(tmp_path, '[plant]\nurl = "mqtts://h/{device}"\npassword_file = "secret"')
