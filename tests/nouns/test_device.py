"""What a device can be called: what fits into a topic and a path, and can be read."""

from __future__ import annotations

import pytest

from bimetal.nouns import Device
from bimetal.nouns.device import LONGEST_ID, check_device_id
from bimetal.nouns.errors import BadInput


@pytest.mark.parametrize(
    "name", ["pump-7", "Pumpe Süd", "温度計", "..a", "a" * LONGEST_ID, "$SYS", "a:b", "'; --"]
)
def test_names_that_people_give_are_taken_as_they_are(name: str) -> None:
    assert check_device_id(name) == name
    assert Device(name).id == name


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a/b", "a\\b", "a+", "#", "a\0", "a\n", "\u202eevil", "\ud800", "a\u2028b", "a" * 129],
)
def test_what_would_be_taken_for_something_else_is_refused(name: str) -> None:
    for refuse in (check_device_id, Device):
        with pytest.raises(BadInput) as refused:
            refuse(name)
        assert refused.value.hint
        assert refused.value.sentence().isprintable()
