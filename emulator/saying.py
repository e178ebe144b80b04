"""Who said what in a recording or a call: its messages, tools, refusals, tokens, in the order of the conversation."""

import base64
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from .tape.canonical import deployment_of, parse_body
from .tape.form import is_form, parts_of, text_of
from .tape.frame import frames
from .tape.interaction import COMPLETE, OUTCOMES, Interaction, Request, Response
from .tape.media import media_of
from .tape.route import parse
from .tape.usage import cost, tokens_of

OPTIONS_ELSEWHERE = ("messages", "input", "prompt", "model", "instructions", "tools", "stream")
HEARD = "transcript.text.delta"
ASKED_IN_FORMS = ("prompt", "input")


class Saying(NamedTuple):
    """`who`: user, assistant, tool, or what is told of the call, such as tools and options."""

    who: str
    text: str


def said(interaction: Interaction) -> Iterator[Saying]:
    """Who said what, in the request and in its answer; what of the answer came where it broke off."""
    yield from asked(interaction.request)
    yield from answered(interaction.response)


def asked(request: Request) -> Iterator[Saying]:
    parsed = parse_body(request.body)
    if is_form(parsed):
        yield from _form(request.body)
        return
    if not isinstance(parsed, dict):
        yield from _saying("sent", _bytes(request.body))
        return
    for name in ("instructions", "messages", "input", "prompt"):
        for item in _list(parsed.get(name)):
            yield from _item(item, "input" if name == "messages" else name)
    tools = [_object(tool) for tool in _list(parsed.get("tools"))]
    named = [tool.get("name") or _object(tool.get("function")).get("name") or tool.get("type") for tool in tools]
    yield from _saying("tools", ", ".join(map(str, named)))
    yield from _saying(
        "options", ", ".join(f"{k}={_compact(v)}" for k, v in parsed.items() if k not in OPTIONS_ELSEWHERE)
    )


def answered(response: Response) -> Iterator[Saying]:
    documents = list(_documents(response))
    if not documents:
        yield from _saying("answer", _bytes(response.body))
        return
    responses = [d["response"] for d in documents if isinstance(d.get("response"), dict)]
    whole = responses[-1] if responses else documents[-1]
    errors = [error for d in (*documents, whole) if (error := d.get("error"))]
    for error in errors[:1]:
        told = [error.get(name) for name in ("code", "message")] if isinstance(error, dict) else [error]
        yield from _saying("error", ": ".join(map(_said, told)))
    if any(_list(document.get("choices")) for document in documents):
        yield from _choices(documents)
    elif "output" in whole:
        yield from _outputs(whole, documents)
    elif pictures := [picture for document in documents for picture in _pictures(document)]:
        yield from (saying for picture in pictures for saying in _saying("picture", picture))
    elif sound := [_said(d.get("audio")) for d in documents if d.get("type") == "speech.audio.delta"]:
        yield from _saying("sound", str(media_of(b"".join(map(_decoded, sound)))))
    elif "text" in whole or any(d.get("type") == HEARD for d in documents):
        pieces = (_said(d.get("delta")) for d in documents if d.get("type") == HEARD)
        yield from _saying("heard", whole.get("text") or "".join(pieces))
        yield from _saying("duration", "duration" in whole and f"{_said(whole['duration'])} s")
    elif vectors := [item for item in _list(whole.get("data")) if "embedding" in _object(item)]:
        yield from _saying("vectors", f"{len(vectors)}, the first begins {_compact(vectors[0]['embedding'])[:40]}")
    elif not errors:
        yield from _saying("answer", _compact(whole))


def _form(body: bytes) -> Iterator[Saying]:
    """The fields of a form, and what its files are."""
    options = list[str]()
    for part in parts_of(body):
        text = text_of(body, part)
        if text is None:
            named = f"{part.filename}: " if part.filename else ""
            yield from _saying(part.name, f"{named}{media_of(body[part.start : part.end])}")
        elif part.name in ASKED_IN_FORMS:
            yield from _saying(part.name, text)
        elif part.name not in OPTIONS_ELSEWHERE:
            options.append(f"{part.name}={_compact(text)}")
    yield from _saying("options", ", ".join(options))


def _pictures(document: dict[str, Any]) -> Iterator[str]:
    """What the pictures of an answer or of an event are."""
    number = document.get("partial_image_index")
    part = f"partial {number}: " if type(number) is int else ""
    for item in (_object(item) for item in (document, *_list(document.get("data")))):
        if "b64_json" in item:
            yield f"{part}{media_of(_decoded(_said(item['b64_json'])))}"


def _outputs(whole: dict[str, Any], documents: list[dict[str, Any]]) -> Iterator[Saying]:
    """The items of a response; of a stream that broke off, what there was of its text."""
    for item in _list(whole["output"]):
        yield from _item(item, "assistant")
    if not whole["output"]:
        deltas = [d.get("delta") for d in documents if d.get("type") == "response.output_text.delta"]
        yield from _saying("assistant", "".join(map(_said, deltas)))
    yield from _saying("status", whole.get("status") != "completed" and whole.get("status"))


def _choices(documents: list[dict[str, Any]]) -> Iterator[Saying]:
    """The answers of chat, put together from whole messages or from the deltas of a stream."""
    said = dict[str, dict[str, Any]]()
    for choice in (_object(choice) for document in documents for choice in _list(document.get("choices"))):
        part = _object(choice.get("message") or choice.get("delta"))
        index = _said(choice.get("index") or 0)
        answer = said.setdefault(index, {"content": "", "refusal": "", "calls": {}, "finish": ""})
        answer["content"] += _content(part.get("content")) or _said(choice.get("text"))
        answer["refusal"] += _said(part.get("refusal"))
        for at, call in enumerate(_object(call) for call in _list(part.get("tool_calls"))):
            called = _object(call.get("function") or call.get("custom"))
            name_and_arguments = answer["calls"].setdefault(_said(call.get("index", at)), ["", ""])
            name_and_arguments[0] += _said(called.get("name"))
            name_and_arguments[1] += _said(called.get("arguments") or called.get("input"))
        answer["finish"] = _said(choice.get("finish_reason")) or answer["finish"]
    for index, answer in said.items():
        who = "assistant" if len(said) == 1 else f"choice {index}"
        yield from _saying(who, answer["content"])
        yield from _saying(who, answer["refusal"] and f"refuses: {answer['refusal']}")
        for name, arguments in answer["calls"].values():
            yield from _saying(who, f"calls {name}({arguments})")
        yield from _saying(who, answer["finish"] not in ("stop", "tool_calls", "") and f"ends with {answer['finish']}")


def _item(item: Any, speaker: str) -> Iterator[Saying]:
    """A message, a call or a result, of chat or of Responses."""
    if not isinstance(item, dict):
        yield from _saying(speaker, _said(item))
        return
    who, kind = _said(item.get("role")) or speaker, item.get("type")
    if kind == "function_call":
        yield from _saying(who, f"calls {_said(item.get('name'))}({_said(item.get('arguments'))})")
    elif kind == "function_call_output":
        yield from _saying("tool", _content(item.get("output")))
    elif kind == "reasoning":
        summary = " ".join(_said(_object(part).get("text")) for part in _list(item.get("summary")))
        yield from _saying("reasoning", summary or "(no summary)")
    else:
        said, calls = _content(item.get("content")), [_object(call) for call in _list(item.get("tool_calls"))]
        yield from _saying(who, said)
        for called in (_object(call.get("function") or call.get("custom")) for call in calls):
            arguments = called.get("arguments") or called.get("input")
            yield from _saying(who, f"calls {_said(called.get('name'))}({_said(arguments)})")
        if kind not in (None, "message") and not said:
            yield from _saying(who, f"({_said(kind)})")


def _content(content: Any) -> str:
    """A text, or the parts of a text."""
    return "\n".join(_said(part) if isinstance(part, str) else _part(part) for part in _list(content))


def _part(part: Any) -> str:
    if not isinstance(part, dict):
        return _said(part)
    if text := part.get("text") or part.get("refusal"):
        return _said(_object(text).get("value") or text)
    kind, picture = _said(part.get("type")), part.get("image_url")
    url = _said(_object(picture).get("url") or picture)
    return f"({kind}, {url[:30]}… {len(url):,} characters)" if url else f"({kind})"


def facts(interaction: Interaction) -> str:
    response, request = interaction.response, interaction.request
    told = [f"{response.status} {response.reason}".strip()]
    used, route = tokens_of(response), parse(request.uri)
    if used.total:
        cached, reasoning = (
            f", {used.cached} cached" * bool(used.cached),
            f", {used.reasoning} reasoning" * bool(used.reasoning),
        )
        dollars = cost((route and deployment_of(route, parse_body(request.body))) or "", used)
        told.append(
            f"tokens {used.input} in{cached}, {used.output} out{reasoning}"
            + (f", about ${dollars:.6f}" if dollars else "")
        )
    if response.is_stream:
        at = response.frame_at_ms
        told.append(
            f"{len(response.frames())} frames"
            + (f", the first after {at[0]:g} ms, the last after {at[-1]:g} ms" if at else "")
        )
    if response.outcome != COMPLETE:
        told.append(f"{response.outcome}: {OUTCOMES[response.outcome]}")
    return "; ".join(told)


def _documents(response: Response) -> Iterator[dict[str, Any]]:
    texts = (
        [frame.data for frame in frames(response)] if response.is_stream else [response.body.decode(errors="replace")]
    )
    for text in texts:
        parsed = parse_body(text.encode())
        if isinstance(parsed, dict):
            yield parsed


def _bytes(body: bytes) -> str:
    """A text, or what other bytes are."""
    media = media_of(body)
    return str(media) if media.kind or b"\0" in body else body.decode(errors="replace")


def _decoded(coded: str) -> bytes:
    try:
        return base64.b64decode(coded)
    except ValueError:
        return coded.encode(errors="replace")


def _saying(who: str, text: Any) -> Iterator[Saying]:
    """Nothing for nothing."""
    if text:
        yield Saying(who, _said(text))


def _said(value: Any) -> str:
    """The text of a field, which may hold anything."""
    return value if isinstance(value, str) else "" if value is None else _compact(value)


def _compact(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 200 else f"{text[:199]}…"


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
