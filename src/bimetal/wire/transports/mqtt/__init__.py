"""An MQTT listener (3.1.1 and 5) inside our own process, so that an acknowledgement means kept."""

from bimetal.wire.transports.mqtt.ledger import Key, Note, SessionStore
from bimetal.wire.transports.mqtt.limits import Limits
from bimetal.wire.transports.mqtt.listener import MqttListener

__all__ = ["Key", "Limits", "MqttListener", "Note", "SessionStore"]
