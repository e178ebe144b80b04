"""The proxy refuses every forged key and every changed key, before it reads the body."""

import base64
import datetime
import hashlib
import hmac
import json
import random
import runpy
import string
from collections import Counter
from collections.abc import Callable
from typing import Any

import itsdangerous.signer
import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import Signer, URLSafeSerializer
from starlette.requests import Request

from emulator.stack import ROOT
from proxy.errors import ProxyError
from proxy.keys import KNOWN, SALT, Key, Keyring, given_key
from tests.keys.signing import OLDER, SECRET, TODAY, key, key_text

ALPHABET = (string.ascii_letters + string.digits + "-_").encode()
GOOD = [key_text(name, **more).encode() for name, more in (("Ada", {}), ("Bob", {"models": ("gpt-4o",)}), ("李", {}))]


def refused(keyring: Keyring, text: bytes) -> str:
    """The refusal's code; "" where the keyring accepts the key."""
    try:
        keyring.require_good(keyring.read(text))
    except ProxyError as error:
        return error.code
    return ""


def one_character(text: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(text))
    return text[:at] + bytes([dice.choice([one for one in range(256) if one != text[at]])]) + text[at + 1 :]


def cut(text: bytes, dice: random.Random) -> bytes:
    return text[: dice.randrange(len(text))] if dice.random() < 0.5 else text[dice.randrange(1, len(text)) :]


def swapped(text: bytes, dice: random.Random) -> bytes:
    """The claims of one key with the signature of another."""
    other = dice.choice([good for good in GOOD if good != text])
    return text.rpartition(b".")[0] + b"." + other.rpartition(b".")[2]


def claims_changed(text: bytes, dice: random.Random) -> bytes:
    claims, signature = text.removeprefix(b"sk-").split(b".")
    said = json.loads(base64.urlsafe_b64decode(claims + b"=="))
    said |= dice.choice([{"name": "Eve"}, {"ends": "9999-12-31"}, {"models": []}, {"tokens_a_day": 10**9}, {"id": "x"}])
    return b"sk-" + base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=") + b"." + signature


def re_encoded(text: bytes, dice: random.Random) -> bytes:
    """Other texts that Python's base64 reads as the same bytes: other last bits, padding, characters that it skips."""
    claims, signature = text.split(b".")
    last = ALPHABET_OF_BASE64.index(signature[-1])
    other = bytes([ALPHABET_OF_BASE64[last ^ dice.choice([1, 2, 3])]])
    at = dice.randrange(1, len(signature))
    return dice.choice(
        [
            claims + b"." + signature[:-1] + other,
            claims + b"." + signature + b"=",
            claims + b"=." + signature,
            claims + b"." + signature[:at] + b"!" + signature[at:],
            claims + b"." + signature[:at] + b"\n" + signature[at:],
            text + b"\n",
            b"sk-" + text,
            b"SK-" + text[3:],
            text.replace(b"-", b"+").replace(b"_", b"/") if b"_" in text else text + b" ",
        ]
    )


ALPHABET_OF_BASE64 = (string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_").encode()


def made_up(text: bytes, dice: random.Random) -> bytes:
    return b"sk-" + bytes(dice.choices(ALPHABET, k=dice.randrange(300))) + b"." + bytes(dice.choices(ALPHABET, k=43))


def signed_with_another(text: bytes, dice: random.Random) -> bytes:
    return key_text("Ada", secret=dice.choice([OLDER, SECRET[:-1], SECRET + "x", SECRET.upper()])).encode()


def of_another_purpose(text: bytes, dice: random.Random) -> bytes:
    """Texts signed with the right secret, by other software or for another purpose."""
    claims = text.removeprefix(b"sk-").rpartition(b".")[0]
    plain = hmac.digest(SECRET.encode(), claims, "sha256")
    return b"sk-" + dice.choice(
        [
            Signer(SECRET).sign(claims),
            Signer(SECRET, SALT).sign(claims),
            Signer(SECRET, key_derivation="hmac", digest_method=hashlib.sha256).sign(claims),
            Signer(SECRET, SALT, key_derivation="hmac").sign(claims),
            claims + b"." + base64.urlsafe_b64encode(plain).rstrip(b"="),
            URLSafeSerializer(SECRET).dumps({"name": "Ada"}).encode(),
        ]
    )


def ended(text: bytes, dice: random.Random) -> bytes:
    return key_text("Ada", ends=TODAY - datetime.timedelta(days=dice.randrange(1, 1_000))).encode()


FORGERIES: list[Callable[[bytes, random.Random], bytes]] = [
    *(one_character, cut, swapped, claims_changed, re_encoded, made_up, signed_with_another, of_another_purpose, ended)
]


@pytest.mark.parametrize("count", [3_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_no_forged_cut_swapped_or_ended_key_comes_in(count: int) -> None:
    keyring, dice, codes = Keyring((SECRET,)), random.Random(count), Counter[str]()
    for text in GOOD:
        assert refused(keyring, text) == ""  # fills `known`
    for number in range(count):
        forge = FORGERIES[number % len(FORGERIES)]
        text = forge(dice.choice(GOOD), dice)
        assert text not in GOOD
        code = refused(keyring, text)
        assert code == ("api_key_ended" if forge is ended else "invalid_api_key"), (forge.__name__, text)
        codes[code] += 1
    assert codes.total() == count
    assert all(refused(keyring, text) == "" for text in GOOD)


@pytest.mark.anyio
async def test_no_refused_key_costs_a_look_at_the_body(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXY_SIGNING_KEY", SECRET)
    monkeypatch.setenv("AZURE_OPENAI_BASE", "https://example-resource.openai.azure.com")
    monkeypatch.setenv("AZURE_OPENAI_DEPLOYMENT", "gpt-4o")
    app = runpy.run_path(str(ROOT / "function_app.py"))["app"]
    calls = {str(made.get_function_name()): made.get_user_function() for made in app.get_functions()}

    async def looked() -> Any:
        raise AssertionError("the body was looked at")

    dice = random.Random(1)
    keys = [forge(text, dice) for forge in FORGERIES for text in GOOD for _ in range(10)]
    forged = [text for text in keys if text.strip() not in GOOD]  # HTTP ignores blanks around a header's value
    for number, text in enumerate([*forged, b"", GOOD[0] + b" x"]):
        name = [name for name in calls if name.startswith("keys_")][number % (len(calls) // 2)]
        headers = [(b"authorization", b"Bearer " + text), (b"content-length", b"9")]
        scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}
        answer = await calls[name](Request(scope | {"path_params": {}}, looked))
        assert answer.status_code == 401
    scope["headers"] = [(b"api-key", GOOD[0])]
    answer = await calls["keys_chat_completions"](Request(scope | {"path_params": {}}, looked))
    assert answer.status_code == 500, "a good one reaches the body"


@given(st.binary(max_size=400))
def test_no_bytes_at_all_are_a_key_by_chance(text: bytes) -> None:
    assert refused(Keyring((SECRET,)), text) == "invalid_api_key"
    assert refused(Keyring((SECRET,)), b"sk-" + text) == "invalid_api_key"


def test_the_work_does_not_depend_on_how_much_of_a_key_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test counts calls: only `hmac.compare_digest` compares signatures, equally often for each key."""
    compared, computed = list[tuple[bytes, bytes]](), list[int]()
    compare, make = hmac.compare_digest, hmac.new

    def comparing(a: bytes, b: bytes) -> bool:
        compared.append((a, b))
        return compare(a, b)

    def computing(*given: Any, **options: Any) -> Any:
        computed.append(1)
        return make(*given, **options)

    monkeypatch.setattr(itsdangerous.signer.hmac, "compare_digest", comparing)
    monkeypatch.setattr(itsdangerous.signer.hmac, "new", computing)
    keyring, good = Keyring((SECRET, OLDER)), GOOD[0]
    work = set()
    start = good.rindex(b".") + 1
    for right in range(start, len(good) - 1):
        wrong = ALPHABET_OF_BASE64[ALPHABET_OF_BASE64.index(good[right]) ^ 1]
        compared.clear(), computed.clear()
        assert refused(keyring, good[:right] + bytes([wrong]) + good[right + 1 :]) == "invalid_api_key"
        work.add((len(compared), len(computed), len(compared[0][0]), len(compared[0][1])))
    assert work == {(2, 4, 32, 32)}


def test_keys_that_fail_displace_none_that_is_known() -> None:
    keyring = Keyring((SECRET,))
    keyring.read(GOOD[0])
    for number in range(KNOWN + 10):
        refused(keyring, b"sk-%d.%s" % (number, b"A" * 43))
    assert len(keyring.known) == 1


def test_what_is_known_has_a_bound_and_holds_no_key() -> None:
    keyring = Keyring((SECRET,))
    texts = [keyring.make(key(f"p{number}")).encode() for number in range(KNOWN + 5)]
    for text in texts:
        keyring.read(text)
        assert len(keyring.known) <= KNOWN
    assert not set(texts) & keyring.known.keys()
    assert all(keyring.read(text).name == f"p{number}" for number, text in enumerate(texts[:5]))


def test_a_key_that_is_known_still_ends_and_can_still_be_taken_back() -> None:
    keyring = Keyring((SECRET,), ())
    assert refused(keyring, GOOD[0]) == ""
    ended_key = Key("1", "Ada", TODAY - datetime.timedelta(days=1))
    text = keyring.make(ended_key).encode()
    assert [refused(keyring, text) for _ in range(2)] == ["api_key_ended"] * 2
    for spelled in ("Ada", "ADA", "id-ada"):
        assert refused(Keyring((SECRET,), (spelled,)), GOOD[0]) == "api_key_revoked"
    decomposed = Keyring((SECRET,), ("Jose\u0301",))  # as a Mac's keyboard may write it
    assert refused(decomposed, key_text("José").encode()) == "api_key_revoked"


def test_the_first_signing_key_signs_and_all_verify_until_one_is_taken_out() -> None:
    old, both, new = Keyring((OLDER,)), Keyring((SECRET, OLDER)), Keyring((SECRET,))
    of_old, of_both = old.make(key()).encode(), both.make(key()).encode()
    assert [refused(ring, of_old) for ring in (old, both, new)] == ["", "", "invalid_api_key"]
    assert [refused(ring, of_both) for ring in (old, both, new)] == ["invalid_api_key", "", ""]


def test_a_key_with_a_limit_that_is_not_known_here_is_refused() -> None:
    """A later release may have written the limit, and would enforce it."""
    keyring = Keyring((SECRET,))
    claims = base64.urlsafe_b64encode(b'{"id":"1","name":"Ada","images_a_day":3}').rstrip(b"=")
    assert refused(keyring, b"sk-" + keyring.signer.sign(claims)) == "invalid_api_key"


def test_a_key_is_found_again_as_it_was_made() -> None:
    every = Key("1", "李 O'Neill", TODAY, ("a/b:c", "é"), 1, 2, 3, 4)
    for made in (every, Key("2", "x")):
        assert Keyring((SECRET,)).read(Keyring((SECRET,)).make(made).encode()) == made


def test_who_sends_no_key_is_not_checked_and_two_that_differ_are_refused() -> None:
    with pytest.raises(ProxyError) as missing:
        given_key({b"authorization": b"Digest x", b"api-key": b" "})
    with pytest.raises(ProxyError) as two:
        given_key({b"authorization": b"Bearer a", b"x-api-key": b"b"})
    assert (missing.value.code, two.value.code) == ("missing_api_key", "two_api_keys")
    assert given_key({b"authorization": b"BEARER  a ", b"api-key": b"a"}) == b"a"
