"""`python -m emulator show CASSETTE`: a recording as something to read, for whoever reviews it.

What was recorded is shown as text only: control characters, which a terminal would obey, are spelled.
"""

import json
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from .tape import cassette
from .tape.canonical import deployment_of, parse_body
from .tape.cassette import COMPLETE, OUTCOMES, Cassette, Interaction, Response
from .tape.frame import frames
from .tape.route import parse
from .tape.usage import cost, tokens_of

WIDTH = 100
LONG = 2_000  # characters of one text; images and vectors are longer, and nobody reads them
CONTROL = {code: f"\\x{code:02x}" for code in (*range(9), *range(11, 32), *range(127, 160))}
OPTIONS_ELSEWHERE = ("messages", "input", "model", "instructions", "tools", "stream")


def find(folders: Iterable[Path], name: str) -> Cassette:
    """By name, as in chat/story, or by path. Raises LookupError and CassetteError."""
    found = {known: path for path, known in cassette.find(folders)}
    if name in found:
        return cassette.load(found[name], name)
    if Path(name).is_file():
        return cassette.load(Path(name))
    near = [known for known in found if name in known] or list(found)
    raise LookupError(f"There is no cassette {name}. There are: {', '.join(near)}.")


def transcript(tape: Cassette) -> str:
    told = ", ".join(f"{name}: {value}" for name, value in tape.notes.items())
    parts = [f"{tape.path}" + (f"\n{told}" if told else "")]
    for number, interaction in enumerate(tape.interactions, 1):
        parts.append(
            "\n".join([_head(number, interaction), *_asked(interaction), *_answered(interaction), _foot(interaction)])
        )
    return "\n\n".join(parts).translate(CONTROL) + "\n"


def _head(number: int, interaction: Interaction) -> str:
    request, route = interaction.request, parse(interaction.request.uri)
    if route is None:
        return f"#{number}  {request.method} {request.uri}"
    query = "".join(f" {name}={value}" for name, value in route.query)
    model = deployment_of(route, parse_body(request.body))
    version = f"{route.generation} {route.api_version or ''}".strip()
    return f"#{number}  {request.method} {route.operation}{query}  ({', '.join(filter(None, (model, version)))})"


def _asked(interaction: Interaction) -> Iterator[str]:
    asked = parse_body(interaction.request.body)
    if not isinstance(asked, dict):
        yield from _lines("sent", interaction.request.body.decode(errors="replace")) if interaction.request.body else ()
        return
    yield from _lines("instructions", asked.get("instructions"))
    for item in _list(asked.get("messages")) + _list(asked.get("input")):
        yield from _item(item, "input")
    tools = [_object(tool) for tool in _list(asked.get("tools"))]
    named = [tool.get("name") or _object(tool.get("function")).get("name") or tool.get("type") for tool in tools]
    yield from _lines("tools", ", ".join(map(str, named)))
    yield from _lines(
        "options", ", ".join(f"{k}={_compact(v)}" for k, v in asked.items() if k not in OPTIONS_ELSEWHERE)
    )


def _answered(interaction: Interaction) -> Iterator[str]:
    documents = list(_documents(interaction.response))
    if not documents:
        yield from _lines("answer", interaction.response.body.decode(errors="replace"))
        return
    responses = [d["response"] for d in documents if isinstance(d.get("response"), dict)]
    whole = responses[-1] if responses else documents[-1]
    errors = [error for d in (*documents, whole) if (error := d.get("error"))]
    for error in errors[:1]:
        yield from _lines("error", ": ".join(str(_object(error).get(name)) for name in ("code", "message")))
    if any("choices" in document for document in documents):
        yield from _choices(documents)
    elif "output" in whole:
        yield from _outputs(whole, documents)
    elif vectors := [item for item in _list(whole.get("data")) if "embedding" in _object(item)]:
        yield from _lines("vectors", f"{len(vectors)}, the first begins {_compact(vectors[0]['embedding'])[:40]}")
    elif not errors:
        yield from _lines("answer", _compact(whole))


def _outputs(whole: dict[str, Any], documents: list[dict[str, Any]]) -> Iterator[str]:
    """The items of a response; of a stream that broke off, what there was of its text."""
    for item in _list(whole["output"]):
        yield from _item(item, "assistant")
    if not whole["output"]:
        deltas = [d.get("delta") for d in documents if d.get("type") == "response.output_text.delta"]
        yield from _lines("assistant", "".join(map(str, deltas)))
    yield from _lines("status", whole.get("status") != "completed" and whole.get("status"))


def _choices(documents: list[dict[str, Any]]) -> Iterator[str]:
    """The answers of chat, put together from whole messages or from the deltas of a stream."""
    said = dict[int, dict[str, Any]]()
    for choice in (_object(choice) for document in documents for choice in _list(document.get("choices"))):
        part = _object(choice.get("message") or choice.get("delta"))
        answer = said.setdefault(choice.get("index") or 0, {"content": "", "refusal": "", "calls": {}, "finish": ""})
        for name in ("content", "refusal"):
            answer[name] += part.get(name) or ""
        for at, call in enumerate(_object(call) for call in _list(part.get("tool_calls"))):
            function, name_and_arguments = (
                _object(call.get("function")),
                answer["calls"].setdefault(call.get("index", at), ["", ""]),
            )
            name_and_arguments[0] += function.get("name") or ""
            name_and_arguments[1] += function.get("arguments") or ""
        answer["finish"] = choice.get("finish_reason") or answer["finish"]
    for index, answer in said.items():
        who = "assistant" if len(said) == 1 else f"choice {index}"
        yield from _lines(who, answer["content"])
        yield from _lines(who, answer["refusal"] and f"refuses: {answer['refusal']}")
        for name, arguments in answer["calls"].values():
            yield from _lines(who, f"calls {name}({arguments})")
        yield from _lines(who, answer["finish"] not in ("stop", "tool_calls", "") and f"ends with {answer['finish']}")


def _item(item: Any, speaker: str) -> Iterator[str]:
    """A message, a call or a result, of chat or of Responses."""
    if isinstance(item, str):
        yield from _lines(speaker, item)
        return
    item = _object(item)
    who = str(item.get("role") or speaker)
    kind = item.get("type")
    if kind == "function_call":
        yield from _lines(who, f"calls {item.get('name')}({item.get('arguments')})")
    elif kind == "function_call_output":
        yield from _lines("tool", item.get("output"))
    elif kind == "reasoning":
        yield from _lines(
            "reasoning",
            " ".join(str(_object(part).get("text")) for part in _list(item.get("summary"))) or "(no summary)",
        )
    else:
        content = item.get("content")
        parts = [content] if isinstance(content, str) else [_part(part) for part in _list(content)]
        yield from _lines(who, "\n".join(parts))
        for call in (_object(_object(call).get("function")) for call in _list(item.get("tool_calls"))):
            yield from _lines(who, f"calls {call.get('name')}({call.get('arguments')})")
        if kind not in (None, "message") and not parts:
            yield from _lines(who, f"({kind})")


def _part(part: Any) -> str:
    part = _object(part)
    text = part.get("text") or part.get("refusal")
    if isinstance(text, str):
        return text
    picture = part.get("image_url")
    url = str(_object(picture).get("url") or picture or "")
    return f"({part.get('type')}, {url[:30]}… {len(url):,} characters)" if url else f"({part.get('type')})"


def _foot(interaction: Interaction) -> str:
    response, request = interaction.response, interaction.request
    facts = [f"{response.status} {response.reason}".strip()]
    used, route = tokens_of(response), parse(request.uri)
    if used.total:
        cached, reasoning = (
            f", {used.cached} cached" * bool(used.cached),
            f", {used.reasoning} reasoning" * bool(used.reasoning),
        )
        dollars = cost((route and deployment_of(route, parse_body(request.body))) or "", used)
        facts.append(
            f"tokens {used.input} in{cached}, {used.output} out{reasoning}"
            + (f", about ${dollars:.6f}" if dollars else "")
        )
    if response.is_stream:
        at = response.frame_at_ms
        facts.append(
            f"{len(response.frames())} frames"
            + (f", the first after {at[0]:g} ms, the last after {at[-1]:g} ms" if at else "")
        )
    if response.outcome != COMPLETE:
        facts.append(f"{response.outcome}: {OUTCOMES[response.outcome]}")
    return "  ── " + "; ".join(facts)


def _documents(response: Response) -> Iterator[dict[str, Any]]:
    texts = (
        [frame.data for frame in frames(response)] if response.is_stream else [response.body.decode(errors="replace")]
    )
    for text in texts:
        parsed = parse_body(text.encode())
        if isinstance(parsed, dict):
            yield parsed


def _lines(who: str, text: Any) -> Iterator[str]:
    """A paragraph with who said it in the margin; nothing for nothing."""
    if not text:
        return
    text = str(text)
    shown = text if len(text) <= LONG else f"{text[:LONG]}… ({len(text):,} characters)"
    wrapped = [line for paragraph in shown.splitlines() for line in textwrap.wrap(paragraph, WIDTH - 16) or [""]]
    for number, line in enumerate(wrapped):
        yield f"  {'' if number else who:>12}  {line}".rstrip()


def _compact(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 200 else f"{text[:199]}…"


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if isinstance(value, str) else []
