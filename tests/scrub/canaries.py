"""Secrets of every kind, and the places in an interaction that may hold one."""

import base64
import gzip
import itertools
import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from emulator.scrub.scrub import Known
from emulator.tape.interaction import Interaction, Request, Response

HOST = "contoso-ai.openai.azure.com"
BASE = f"https://{HOST}"
KEY = "0123456789abcdef0123456789abcdef"  # of the older form, which only the recorder knows as a key
PRINCIPAL = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
KNOWN = Known(BASE, (KEY, PRINCIPAL, "test"))
JSON, EVENTS = (("Content-Type", "application/json"),), (("Content-Type", "text/event-stream"),)


def letters(count: int) -> str:
    return ("aB3" * count)[:count]


GUID = "11111111-2222-4333-8444-555555555555"
JWT = f"eyJhbGciOiJSUzI1NiJ9.eyJvaWQiOiJ4In0.{letters(40)}"
SECRETS = {  # kind → (a text that holds the secret, the secret)
    "host": (f"see {BASE}/openai", "contoso-ai"),
    "another host": ("see https://fabrikam-7.cognitiveservices.azure.com/x", "fabrikam-7"),
    "my own host": ("see https://my-fabrikam-7.openai.azure.com/x", "my-fabrikam-7"),
    "internal host": ("at cmp.westus3.hyena.infra.ai.azure.com", "westus3.hyena"),
    "known key": (f"it is {KEY}", KEY),
    "known id": (f"it is {PRINCIPAL}", PRINCIPAL),
    "subscription": (f"/subscriptions/{GUID}/resourceGroups/rg-fabrikam-7/providers/x", GUID),
    "resource group": (f"/subscriptions/{GUID}/resourceGroups/rg-fabrikam-7/providers/x", "rg-fabrikam-7"),
    "tenant": (f"tenant_id={GUID}", GUID),
    "principal": (f"The principal `{GUID}` lacks the required data action", GUID),
    "client request id": (f"x-ms-client-request-id: {GUID}", GUID),
    "token": (f"it is {JWT}", JWT),
    "bearer": (f"Bearer {letters(40)}", letters(40)),
    "basic": (f"Basic {base64.b64encode(b'ada:open sesame').decode()}", "YWRhOm9wZW4gc2VzYW1l"),
    "password in an address": ("postgres://ada:open-sesame@db/x", "open-sesame"),
    "key of a new kind": (f"it is {letters(52)}JQQJ9{letters(27)}", f"JQQJ9{letters(27)}"),
    "named key": (f"api-key={letters(32)}", letters(32)),
    "OpenAI key": (f"it is sk-proj-{letters(40)}", f"sk-proj-{letters(40)}"),
    "GitHub token": (f"it is ghp_{letters(36)}", f"ghp_{letters(36)}"),
    "function key": (f"https://x/api?code={letters(54)}==", letters(54)),
    "SAS": (f"https://x/y?sv=2024&sig={letters(43)}=&se=1", letters(43)),
    "connection string": (f"AccountName=x;AccountKey={letters(86)}==;", letters(86)),
    "service bus": (f"SharedAccessKeyName=x;SharedAccessKey={letters(43)}=", letters(43)),
    "Functions key by its mark": (f"it is {letters(44)}AzFu{letters(5)}Q==", f"{letters(44)}AzFu"),
    "database": ("Server=x;User Id=ada;Password=open-sesame;", "open-sesame"),
    "private key": (f"-----BEGIN PRIVATE KEY-----\n{letters(64)}\n", letters(64)),
    "e-mail": ("write to ada.lovelace@contoso.com, please", "ada.lovelace@contoso.com"),
}


def asking(body: bytes, *headers: tuple[str, str], uri: str = f"{BASE}/openai/v1/responses") -> Interaction:
    return Interaction(Request("POST", uri, headers, body), Response(200, "OK", JSON, b"{}"))


def answering(body: bytes, *headers: tuple[str, str], **facts: Any) -> Interaction:
    response = Response(200, "OK", (*JSON, *headers), body)
    return replace(asking(b"{}"), response=replace(response, **facts))


def streaming(*events: Any, **facts: Any) -> Interaction:
    body = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)
    return answering(body, **{"headers": EVENTS, **facts})


def cut(interaction: Interaction, *at: int) -> Interaction:
    """The stream, cut elsewhere than between its frames."""
    sizes = tuple(end - start for start, end in itertools.pairwise((0, *at, len(interaction.response.body))))
    times = tuple(map(float, range(len(sizes))))
    return replace(interaction, response=replace(interaction.response, frame_bytes=sizes, frame_at_ms=times))


def cut_within(interaction: Interaction, text: str) -> Interaction:
    middle = interaction.response.body.index(json.dumps(text)[1:-1].encode()) + len(text) // 2
    return cut(interaction, middle)


def chat(**delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta}]}


def thirds(text: str) -> list[str]:
    step = len(text) // 3
    return [text[:step], text[step : 2 * step], text[2 * step :]]


def escaped(text: str) -> str:
    return "".join(f"\\u{ord(letter):04x}" for letter in text)


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def in_lines(text: str) -> str:
    return base64.encodebytes(text.encode()).decode()


def zipped(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)


GZIP, DEFLATE = ("Content-Encoding", "gzip"), ("content-encoding", "deflate")
PLACES: dict[str, Callable[[str], Interaction]] = {
    "kept header": lambda s: asking(b"{}", ("user-agent", s.replace("\n", " "))),
    "dropped header": lambda s: asking(b"{}", ("x-stainless-os", s.replace("\n", " "))),
    "authorization": lambda s: asking(b"{}", ("authorization", s.replace("\n", " "))),
    "cookie": lambda s: asking(b"{}", ("Cookie", s.replace("\n", " "))),
    "query": lambda s: asking(b"", uri=f"{BASE}/openai/v1/models?limit=1&after={quote(s)}"),
    "path": lambda s: asking(b"", uri=f"{BASE}/openai/v1/responses/{quote(s, safe='')}"),
    "user of the address": lambda s: asking(b"", uri=f"https://{quote(s, safe='')}:x@{HOST}/openai/v1/x"),
    "body": lambda s: asking(json.dumps({"input": s}).encode()),
    "deep in the body": lambda s: asking(json.dumps({"a": [{}, {"b": [[{"c": s}]]}]}, indent=2).encode()),
    "key of an object": lambda s: asking(json.dumps({"a": {s: 1}}).encode()),
    "JSON in JSON": lambda s: asking(json.dumps({"arguments": json.dumps({"a": json.dumps([s])})}).encode()),
    "escapes": lambda s: asking(f'{{"a": "{escaped(s)}"}}'.encode()),
    "escapes in JSON in JSON": lambda s: asking(json.dumps({"a": f'{{"b": "{escaped(s)}"}}'}).encode()),
    "escaped slashes": lambda s: asking(json.dumps({"a": s}).replace("/", "\\/").encode()),
    "percent": lambda s: asking(json.dumps({"a": "https://x/?q=" + quote(s, safe="")}).encode()),
    "percent of everything": lambda s: asking("".join(f"%{ord(letter):02x}" for letter in s).encode()),
    "base64": lambda s: asking(json.dumps({"a": b64(s)}).encode()),
    "base64 after something": lambda s: asking(json.dumps({"a": "xy" + b64(s)}).encode()),
    "base64 for addresses": lambda s: asking(json.dumps({"a": base64.urlsafe_b64encode(s.encode()).decode()}).encode()),
    "base64 in lines": lambda s: asking(json.dumps({"a": in_lines(" " * 40 + s)}).encode()),
    "base64 of JSON": lambda s: asking(json.dumps({"a": b64(json.dumps({"b": s}))}).encode()),
    "a file in base64": lambda s: asking(json.dumps({"a": b64(f"{s} and {'much ' * 9}\x00\x01\x02more")}).encode()),
    "base64 of base64": lambda s: asking(json.dumps({"a": b64(b64(s))}).encode()),
    "hexadecimal": lambda s: asking(json.dumps({"a": s.encode().hex()}).encode()),
    "UTF-16": lambda s: asking(s.encode("utf-16")),
    "no JSON": lambda s: asking(f"--part\r\n\r\n{s}\r\n\xff".encode("latin-1")),
    "broken JSON": lambda s: asking(b'{"a": [' + json.dumps(s).encode()),
    "gzip": lambda s: asking(zipped(json.dumps({"a": s}).encode()), GZIP),
    "gzip twice over": lambda s: asking(zipped(b"{}") + zipped(s.encode()), GZIP),
    "two codings": lambda s: asking(zipped(zipped(s.encode())), GZIP, GZIP),
    "reason": lambda s: answering(b"{}", reason=s.replace("\n", " ")),
    "kept header of an answer": lambda s: answering(b"{}", ("x-ms-region", s.replace("\n", " "))),
    "client request id": lambda s: answering(b"{}", ("x-ms-client-request-id", s.replace("\n", " "))),
    "dropped header of an answer": lambda s: answering(b"{}", ("set-cookie", s.replace("\n", " "))),
    "answer": lambda s: answering(json.dumps({"output": [{"text": s}]}).encode()),
    "gzip in an answer": lambda s: answering(zipped(json.dumps({"a": s}).encode()), GZIP),
    "deflate in an answer": lambda s: answering(zlib.compress(b"[" + json.dumps(s).encode()), DEFLATE),
    "unknown coding": lambda s: answering(b"\x0b" + s.encode()[::-1], ("content-encoding", "br")),
    "event": lambda s: streaming({"type": "a", "text": s}),
    "event in two chunks": lambda s: cut_within(streaming(chat(content=s)), s),
    "gzip of events in chunks": lambda s: cut(
        answering(zipped(b"data: " + json.dumps(s).encode() + b"\n\n"), headers=(*EVENTS, GZIP)), 9, 20
    ),
    "comment of a stream": lambda s: answering(f": {s}\n\n".encode(), headers=EVENTS),
    "deltas of chat": lambda s: streaming(*[chat(content=part) for part in thirds(s)]),
    "deltas without content type": lambda s: streaming(*[chat(content=part) for part in thirds(s)], headers=()),
    "deltas with others between": lambda s: streaming(
        *itertools.chain(*[(chat(content=part), {"choices": [{"index": 1, "delta": {}}]}) for part in thirds(s)])
    ),
    "letters of chat": lambda s: streaming(*[chat(content=letter) for letter in s]),
    "arguments of a tool": lambda s: streaming(
        *[chat(tool_calls=[{"index": 0, "function": {"arguments": part}}]) for part in thirds(json.dumps({"a": s}))]
    ),
    "deltas of Responses": lambda s: streaming(
        *[{"type": "response.output_text.delta", "item_id": "m", "delta": part} for part in thirds(s)]
    ),
    "deltas of two items in turn": lambda s: streaming(
        *[{"type": "response.output_text.delta", "item_id": item, "delta": part} for part in thirds(s) for item in "ab"]
    ),
    "log probabilities": lambda s: answering(
        json.dumps({"choices": [{"logprobs": {"content": [{"token": part} for part in thirds(s)]}}]}).encode()
    ),
}  # fmt: skip


def is_said(secret: str, text: str) -> bool:
    """Whether a file holds the secret: plainly, in base64 at any offset, in escapes, or in hexadecimal digits."""
    said = {
        secret,
        quote(secret, safe=""),
        escaped(secret),
        secret.encode().hex(),
        secret.encode("utf-16")[2:].decode(),
    }
    said |= {b64(" " * shift + secret)[4:-4] for shift in range(3)}
    return any(form.lower() in text.lower() for form in said)
