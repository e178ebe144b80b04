"""The largest bodies that the function takes, in the forms that cost the most, do not stop it."""

from collections.abc import Iterator

import pytest

from tests.hostile.attack import Attack
from tests.hostile.parts import KEY
from tests.hostile.target import Target, target

MAX_BYTES = 100_000_000


@pytest.fixture(scope="module")
def under_attack() -> Iterator[Target]:
    with target() as running:
        yield running


def post(body: bytes) -> Attack:
    head = b"POST /api/v1/responses HTTP/1.1\r\nhost: x\r\nx-functions-key: %s\r\ncontent-length: %d\r\n\r\n"
    return Attack((head % (KEY, len(body)), body), "POST", honest=True, patient=True)


def test_a_body_of_100_000_000_bytes_reaches_azure_byte_for_byte(under_attack: Target) -> None:
    body = b'{"model":"gpt-4o-mini","input":"%s"}'
    body %= b"x" * (MAX_BYTES - len(body) + 2)
    under_attack.send(post(body))
    (arrived,) = under_attack.upstream.arrived
    assert len(body) == MAX_BYTES
    assert arrived.body == body
    under_attack.assert_lives()


def test_100_000_000_brackets_are_no_json(under_attack: Target) -> None:
    assert b"invalid_json" in under_attack.send(post(b"[" * MAX_BYTES))
    under_attack.assert_lives()


def test_a_model_behind_a_million_values_becomes_its_deployment(under_attack: Target) -> None:
    body = b'{"input":[%s[]],"model":"gpt-4o"}' % (b"[]," * 1_000_000)
    under_attack.send(post(body))
    assert under_attack.upstream.arrived[-1].body == body.replace(b'"gpt-4o"', b'"my-4o-deployment"')
    under_attack.assert_lives()
