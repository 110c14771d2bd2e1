"""Identify: a certificate counts for the device it names, unless it is from before an erasure."""

from __future__ import annotations

import pytest

from bimetal.nouns.errors import NotAllowed
from bimetal.trust.identify import Claim, by_certificate
from bimetal.trust.tls import AUTHORITY, CLOCKS_DIFFER_S, Peer, issued_ns

PEER: Peer = {
    "subjectAltName": (("URI", "urn:bimetal:device:pump-1"),),
    "serialNumber": "0A",
    "notBefore": "Jan  1 00:00:00 2026 GMT",
}
ISSUED_NS = 1_767_225_600 * 10**9


def test_the_time_of_issue_is_that_of_the_certificate() -> None:
    assert issued_ns(PEER) == ISSUED_NS
    assert issued_ns({}) == 0
    ours: Peer = {**PEER, "issuer": ((("commonName", f"{AUTHORITY}7f3a"),),)}
    assert issued_ns(ours) == ISSUED_NS + CLOCKS_DIFFER_S * 10**9


def test_a_certificate_from_before_an_erasure_is_refused() -> None:
    erased_ns = ISSUED_NS + 1
    identify = by_certificate(barred=lambda device, issued: device == "pump-1" and issued < erased_ns)
    with pytest.raises(NotAllowed, match="was erased"):
        identify(Claim("pump-1", b"", PEER))
    erased_ns = ISSUED_NS - 1
    assert identify(Claim("pump-1", b"", PEER)).device == "pump-1"
    with pytest.raises(NotAllowed, match="is for"):
        identify(Claim("pump-2", b"", PEER))
