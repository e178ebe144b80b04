"""A record knows its caller by a fingerprint that gives no key away."""

from starlette.requests import Request

from proxy.fields import Fields
from proxy.record import Record

SALT = "a salt of its own"


def record_of(salt: str, *headers: tuple[bytes, bytes], query: bytes = b"") -> Fields:
    scope = {"type": "http", "method": "POST", "headers": list(headers), "query_string": query}
    return Record(Request(scope), "responses", salt).fields


def test_keys_differ_and_so_do_the_fingerprints_of_two_apps() -> None:
    first, second = (b"x-functions-key", b"first"), (b"x-functions-key", b"second")
    prints = [record_of(salt, key).key for salt in (SALT, SALT * 2) for key in (first, second)]
    assert len(set(prints)) == 4
    assert all(len(fingerprint) == 12 for fingerprint in prints)


def test_without_a_salt_a_key_has_no_fingerprint() -> None:
    assert record_of("", (b"x-functions-key", b"spring")).key is None


def test_a_callers_request_id_is_cut() -> None:
    assert record_of("", (b"x-ms-client-request-id", b"x" * 500)).client_request_id == "x" * 100
