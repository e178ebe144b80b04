"""No secret gets into a cassette: the scrubber replaces it, or the recorder writes nothing."""

import base64
import functools
import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from emulator.scrub.scrub import Known, SecretFound, leaks, require_clean, scrubbed
from emulator.scrub.search import Search
from emulator.scrub.secret import PLACEHOLDER, RULES
from emulator.tape import cassette
from emulator.tape.interaction import Interaction
from tests.golden import assert_golden
from tests.pages import text_of
from tests.scrub.canaries import (
    BASE,
    EVENTS,
    KEY,
    KNOWN,
    PLACES,
    SECRETS,
    answering,
    asking,
    b64,
    chat,
    cut,
    escaped,
    is_said,
    streaming,
)


def file_of(interaction: Interaction, folder: Path) -> str:
    """The text of the written cassette, followed by the bodies that the emulator reads from it."""
    cassette.save(folder / "x.yaml", [interaction], {})
    loaded = cassette.load(folder / "x.yaml").interactions[0]
    bodies = [loaded.request.body.decode("latin-1"), loaded.response.body.decode("latin-1")]
    return "\n".join([(folder / "x.yaml").read_text(), *bodies, *map(unescaped, bodies)])


def unescaped(body: str) -> str:
    try:
        return json.dumps(json.loads(body), ensure_ascii=False)
    except ValueError:
        return ""


@pytest.mark.parametrize("place", PLACES)
def test_a_secret_gets_into_no_file(place: str, tmp_path: Path) -> None:
    for kind, (text, secret) in SECRETS.items():
        said = ""
        try:
            clean = scrubbed(PLACES[place](text), KNOWN)
            said = file_of(clean, tmp_path)
            assert list(leaks(clean)) == [], kind
            assert scrubbed(clean, KNOWN) == clean, f"{kind}: what was recorded is recorded again from its replay"
        except SecretFound as refused:
            said = str(refused)
        assert not is_said(secret, said), f"{kind}: {said}"


ENCODINGS: tuple[Callable[[str], str], ...] = (
    lambda text: json.dumps({"a": [text]}),
    escaped,
    lambda text: "".join(f"%{letter:02X}" for letter in text.encode()),
    b64,
    lambda text: base64.urlsafe_b64encode(text.encode()).decode().strip("="),
    lambda text: text.encode().hex(),
)


def test_an_encoding_within_another_hides_nothing() -> None:
    for chain in itertools.product(ENCODINGS, repeat=3):
        text = functools.reduce(lambda said, encode: encode(said), chain, SECRETS["e-mail"][0])
        hits = Search().hits(json.dumps({"content": text}))
        assert [hit.rule.name for hit in hits] == ["e-mail address"], text


def test_what_is_replaced_and_what_is_refused() -> None:
    lines = []
    for place, plant in PLACES.items():
        refused = [kind for kind, (text, _) in SECRETS.items() if is_refused(plant(text))]
        lines.append(f"{place}: " + ("all" if len(refused) == len(SECRETS) else ", ".join(refused) or "nothing"))
    assert_golden("canaries.txt", "What is refused, by place; all else is replaced.\n" + "\n".join(lines) + "\n")


def is_refused(interaction: Interaction) -> bool:
    try:
        scrubbed(interaction, KNOWN)
    except SecretFound:
        return True
    return False


TENANT = "11111111-2222-4333-8444-555555555555"
FIRST, SECOND = (f"00000000-0000-0000-0000-00000000000{n}" for n in (1, 2))


@pytest.mark.parametrize(
    ("said", "written"),
    [
        (f'{{"a": "mail {escaped("ada@contoso.com")}!"}}', '{"a": "mail person-1@example.com!"}'),
        (r'{"a": "\nbob@contoso.com, ada@contoso.com"}', r'{"a": "\nperson-1@example.com, person-2@example.com"}'),
        ('{"a": "Ada@contoso.com  ada@contoso.com"}', '{"a": "person-1@example.com  person-1@example.com"}'),
        ('["person-1@example.com", "ada@x.com"]', '["person-1@example.com", "person-2@example.com"]'),
        (r'{"a":"{\"b\":\"\\u0020ada@x.com\"}"}', r'{"a":"{\"b\":\"\\u0020person-1@example.com\"}"}'),
        ('{"a": "CONTOSO-AI.openai.azure.com"}', '{"a": "example-resource.openai.azure.com"}'),
        ('{"a": "mine.blob.core.windows.net/x"}', '{"a": "example-resource.blob.core.windows.net/x"}'),
        (f"a={KEY}&", "a=scrubbed-secret&"),
        (f"a={KEY.upper()}&", "a=scrubbed-secret&"),
        (f'{{"tenantId": "{TENANT}", "b": ["{TENANT}"]}}', f'{{"tenantId": "{FIRST}", "b": ["{FIRST}"]}}'),
        (f'{{"oid": "{TENANT}", "sub": "{KEY[:8]}-{TENANT[9:]}"}}', f'{{"oid": "{FIRST}", "sub": "{SECOND}"}}'),
        ('{ "ä":"müller@firma.de" ,"b":1}', '{ "ä":"person-1@example.com" ,"b":1}'),
    ],
)
def test_only_the_secret_is_replaced(said: str, written: str) -> None:
    asked = asking(said.encode(), ("content-length", "1"))
    answered = answering(said.encode(), ("Content-Length", str(len(said))))
    clean = scrubbed(replace(asked, response=answered.response), KNOWN)
    assert (clean.request.body.decode(), clean.response.body.decode()) == (written, written)
    assert clean.response.header("content-length") == str(len(written.encode()))


def test_a_name_stays_the_same_from_request_to_answer() -> None:
    asked = asking(b'["ada@x.com", "bob@x.com"]')
    clean = scrubbed(replace(asked, response=answering(b'["bob@x.com", "eve@x.com", "ada@x.com"]').response), KNOWN)
    assert json.loads(clean.response.body) == [f"person-{n}@example.com" for n in (2, 3, 1)]


FRAME = b'data: {"a": "ada@contoso.com"}\n\n'  # the address stands at 13 to 28; its replacement is 5 bytes longer


@pytest.mark.parametrize(
    ("pieces", "sizes", "times"),
    [
        ((5,), (5, 32), (0.0, 1.0)),
        ((20,), (33, 4), (0.0, 1.0)),
        ((14, 20), (33, 4), (0.0, 2.0)),
        ((13, 28), (13, 20, 4), (0.0, 1.0, 2.0)),
        ((30,), (35, 2), (0.0, 1.0)),
        ((14, 20, 28), (33, 4), (0.0, 3.0)),
    ],
)
def test_pieces_of_a_stream_follow(pieces: tuple[int, ...], sizes: tuple[int, ...], times: tuple[float, ...]) -> None:
    clean = scrubbed(cut(answering(FRAME, headers=EVENTS), *pieces), KNOWN).response
    assert clean.body == FRAME.replace(b"ada@contoso.com", b"person-1@example.com")
    assert (clean.frame_bytes, clean.frame_at_ms) == (sizes, times)


def test_frames_that_are_those_of_the_text_stay_so() -> None:
    whole = answering(FRAME * 3, headers=EVENTS, frame_at_ms=(1.0, 2.0, 3.0))
    clean = scrubbed(whole, KNOWN).response
    assert (len(clean.frames()), clean.frame_bytes, clean.frame_at_ms) == (3, (), (1.0, 2.0, 3.0))


def test_headers_are_kept_by_a_list() -> None:
    asked = asking(b"", ("user-agent", "x"), ("x-stainless-os", "Linux"), ("accept", "*/*"), ("authorization", "y"))
    names = ("x-ms-region", "x-ms-oai-backend-host", "x-ratelimit-limit-tokens", "set-cookie", "x-new", "Retry-After")
    answered = answering(b"", *[(name, "1") for name in names], ("x-ms-client-request-id", TENANT))
    clean = scrubbed(replace(asked, response=answered.response), KNOWN)
    assert clean.request.headers == (("accept", "*/*"), ("user-agent", "x"))
    assert clean.response.headers[1:] == (
        ("x-ms-region", "1"),
        ("x-ratelimit-limit-tokens", "1"),
        ("Retry-After", "1"),
        ("x-ms-client-request-id", "00000000-0000-0000-0000-000000000000"),
    )


@pytest.mark.parametrize("base", [BASE, "http://127.0.0.1:7072", "https://api.contoso.com", PLACEHOLDER])
def test_the_resource_has_no_name(base: str) -> None:
    request = replace(asking(f'"{base}/x"'.encode()).request, uri=f"{base}/openai/v1/models?limit=1")
    clean = scrubbed(Interaction(request, answering(b"").response), Known(base)).request
    assert clean.uri == f"{PLACEHOLDER}/openai/v1/models?limit=1"
    assert clean.body.endswith(b'://example-resource.openai.azure.com/x"')


def test_short_strings_are_no_secrets() -> None:
    said = b'"a test key is no secret"'
    assert scrubbed(asking(said), Known(BASE, ("", "key", "test"))).request.body == said


def test_what_the_environment_holds_is_known() -> None:
    env = {
        "AZURE_TENANT_ID": TENANT,
        "GITHUB_TOKEN": f"x{KEY}A",
        "OPENAI_API_KEY": "unused",
        "HOME": "/home/aB3aB3aB3aB3",
    }
    known = Known.from_env(BASE, env, "another secret")
    assert known == Known(BASE, ("another secret", TENANT, f"x{KEY}A"))
    assert TENANT.encode() not in scrubbed(asking(f"it is {TENANT}".encode()), known).request.body


def test_what_a_recorder_notes_is_looked_at() -> None:
    notes = {"origin": "recorded", "about": "A question."}
    require_clean(notes, KNOWN)
    for text, secret in SECRETS.values():
        with pytest.raises(SecretFound, match=r"note more\[0\]") as refused:
            require_clean({**notes, "more": [text]}, KNOWN)
        assert not is_said(secret, str(refused.value))


def test_what_a_user_reads() -> None:
    mail, key = SECRETS["e-mail"][0], SECRETS["private key"][0]
    cases = {
        "a private key": asking(json.dumps({"messages": [{"content": key}]}).encode()),
        "base64": asking(json.dumps({"files": {"a": PLACES["base64"](mail).request.body.decode()}}).encode()),
        "below a key that is secret": asking(json.dumps({mail: {"ada@contoso.com": [key]}}).encode()),
        "spelled": streaming(chat(role="assistant"), *[chat(content=part) for part in ("ada@", "contoso", ".com")]),
        "in the address": asking(b"", uri=f"{BASE}/openai/v1/models?after=" + base64.b64encode(mail.encode()).decode()),
        "a coding": answering(b"\x0b\x80", ("content-encoding", "br")),
        "many": asking(json.dumps([key] * 9).encode()),
    }
    texts = []
    for name, interaction in cases.items():
        with pytest.raises(SecretFound) as refused:
            scrubbed(interaction, KNOWN)
        texts.append(f"--- {name}\n{refused.value}\n")
    assert_golden("secrets.txt", "".join(texts))


def test_the_docs_say_what_is_replaced_by_what() -> None:
    rows = dict[tuple[str, str], list[str]]()
    for rule in RULES:
        becomes = f"`{rule.instead.format(n=1)}`" if rule.instead else "refused"
        reasons = rows.setdefault((rule.name, becomes), [])
        reasons += [rule.reason] if rule.reason not in reasons else []
    table = "\n".join(f"| {name} | {becomes} | {_joined(reasons)} |" for (name, becomes), reasons in rows.items())
    assert table in text_of("docs/recording.md"), f"docs/recording.md should have\n{table}"


def _joined(reasons: list[str]) -> str:
    ending = ", by its form"
    if len(reasons) == 1:
        return reasons[0]
    return f"of {', '.join(reason.removesuffix(ending) for reason in reasons)}{ending}"
