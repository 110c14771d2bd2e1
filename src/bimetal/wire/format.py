"""Format: which codec reads a message, by its content type or by what follows the device in its topic."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import cast

from bimetal.nouns.errors import BadInput
from bimetal.wire.codec import Codec
from bimetal.wire.transport import READINGS, Message

FORMATS = {
    "json": "json:JsonCodec",
    "cbor": "cbor:CborCodec",
    "senml": "senml:SenmlCodec",
    "senml-cbor": "senml:SenmlCborCodec",
    "influx": "influx:InfluxCodec",
    "csv": "line:LineCodec",
    "arrow": "columnar:ArrowCodec",
    "parquet": "columnar:ParquetCodec",
}
"""Each format by the name it has in a topic; its code is imported when it is first needed."""

CONTENT_TYPES = {
    "application/json": "json",
    "application/cbor": "cbor",
    "application/senml+json": "senml",
    "application/sensml+json": "senml",
    "application/senml+cbor": "senml-cbor",
    "application/sensml+cbor": "senml-cbor",
    "application/influx": "influx",
    "application/vnd.influx.line": "influx",
    "text/csv": "csv",
    "application/vnd.apache.arrow.stream": "arrow",
    "application/vnd.apache.parquet": "parquet",
}


@dataclass(slots=True)
class Formats:
    """All formats there are, and `plain`, which reads what does not say what it is."""

    plain: Codec
    _codecs: dict[str, Codec] = field(default_factory=dict[str, Codec])

    def choose(self, message: Message) -> tuple[str, Codec]:
        """Return the device a message is about, and the codec that reads it.

        `readings/DEVICE/FORMAT` names the format; else a content type does that is known here.
        Raises BadInput for another topic, or a format that there is not.
        """
        if not message.topic.startswith(READINGS):
            raise BadInput(f"readings come under {READINGS}<device>, not {message.topic[:60]!a}")
        device, slash, named = message.topic[len(READINGS) :].partition("/")
        if slash:
            if named not in FORMATS:
                raise BadInput(f"{named[:60]!a} is no format", hint=f"Use one of {', '.join(FORMATS)}")
            return device, self.codec(named)
        if not message.content_type:
            return device, self.plain
        kind = message.content_type.partition(";")[0].strip().lower()
        return device, self.codec(CONTENT_TYPES[kind]) if kind in CONTENT_TYPES else self.plain

    def codec(self, name: str) -> Codec:
        """Return the codec of a format that there is."""
        found = self._codecs.get(name)
        if found is None:
            module, _, attribute = FORMATS[name].partition(":")
            made = getattr(import_module(f"bimetal.wire.codecs.{module}"), attribute)
            found = self._codecs[name] = cast(Codec, made())
        return found
