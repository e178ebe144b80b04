"""Chat completions as Azure sends them (recorded November 2025 to January 2026): compact JSON with alphabetical keys
and a final newline, or SSE frames that begin with the verdict on the prompt."""

import math
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ..tape.cassette import Response
from . import headers
from .asked import Asked, Reply
from .seed import CREATED, LETTERS
from .text import compact, pieces, plain, schedule

VERDICT = "content_filter_results"
SAFE = {"filtered": False, "severity": "safe"}
UNSEEN = {"filtered": False, "detected": False}
PROMPT_VERDICT = {"hate": SAFE, "jailbreak": UNSEEN, "self_harm": SAFE, "sexual": SAFE, "violence": SAFE}
FRAME_VERDICT = {"hate": SAFE, "self_harm": SAFE, "sexual": SAFE, "violence": SAFE}
TEXT_VERDICT = {
    "hate": SAFE,
    "protected_material_code": UNSEEN,
    "protected_material_text": UNSEEN,
    "self_harm": SAFE,
    "sexual": SAFE,
    "violence": SAFE,
}
PROMPT_FILTER_RESULTS = [{"prompt_index": 0, VERDICT: PROMPT_VERDICT}]
LATE_VERDICTS = (FRAME_VERDICT, {name: UNSEEN for name in TEXT_VERDICT if name.startswith("protected")})
JUDGED_AT_ONCE = 8  # chunks that the asynchronous filter judges together, roughly

VERDICT_LENGTHS = [len(compact({VERDICT: verdict})) - 1 for verdict in ({}, FRAME_VERDICT)]  # a comma, and no braces


class Chunk(NamedTuple):
    """`before` and `after` are the rest of its text: what comes up to its padding, and what then."""

    choices: list[dict[str, Any]]
    before: str
    after: str
    pads: bool = False


NOTHING = Chunk([], ',"created":0,"id":"","model":"","object":""', "}")  # of the content filter alone
ASKED = NOTHING._replace(after=f',"prompt_filter_results":{compact(PROMPT_FILTER_RESULTS)}}}')


def response(asked: Asked, reply: Reply) -> Response:
    if asked.streams:
        return stream(asked, chunks(asked, reply))
    body = whole(asked, reply)
    return Response(200, "OK", headers.chat(asked.seed, asked.deployment, body), body)


def stream(asked: Asked, told: Iterable[Chunk]) -> Response:
    frames = [f"data: {_text(asked, chunk)}\n\n" for chunk in told] + ["data: [DONE]\n\n"]
    body = "".join(frames).encode()
    return Response(
        200, "OK", headers.chat(asked.seed, asked.deployment, body, headers.SSE), body, schedule(len(frames))
    )


def whole(asked: Asked, reply: Reply) -> bytes:
    choices: list[dict[str, Any]] = [
        {
            VERDICT: {} if text is None else TEXT_VERDICT,
            "finish_reason": _finish(asked, reply, index),
            "index": index,
            "logprobs": _logprobs(asked, text),
            "message": _message(asked, reply, index, text),
        }
        for index, text in enumerate(_texts(asked, reply))
    ]
    completion = {
        "choices": choices,
        **_identity(asked),
        "object": "chat.completion",
        "prompt_filter_results": PROMPT_FILTER_RESULTS,
        "system_fingerprint": _fingerprint(asked),
        "usage": usage(asked, reply),
    }
    return f"{plain(completion)}\n".encode()


def chunks(asked: Asked, reply: Reply) -> Iterator[Chunk]:
    """The verdict on the prompt, then for each choice its role, pieces and finish, then usage if asked for."""
    counts = (asked.body.get("stream_options") or {}).get("include_usage") is True
    chunk = _chunk(asked, {"usage": None} if counts else {})
    yield ASKED
    for index, text in enumerate(_texts(asked, reply)):
        for verdict, delta, said in _deltas(asked, reply, index, text):
            choice = {
                VERDICT: verdict,
                "delta": delta,
                "finish_reason": None if delta else _finish(asked, reply, index),
                "index": index,
                "logprobs": _logprobs(asked, said),
            }
            yield Chunk([choice], chunk.before, chunk.after, chunk.pads)
    if counts:
        yield _chunk(asked, {"usage": usage(asked, reply)})


def chunks_judged_later(asked: Asked, reply: Reply) -> Iterator[Chunk]:
    """The chunks of a deployment with the asynchronous filter. Its verdicts come later, in chunks whose choice has no
    delta (recorded in 2026 by other projects). Offsets count from the start of the prompt."""
    start = end = prompt = asked.tokens * 4
    for at, chunk in enumerate(chunks(asked, reply)):
        said = [choice | {VERDICT: {}} for choice in chunk.choices]
        yield chunk._replace(choices=said)
        end += sum(len(choice["delta"].get("content") or "") for choice in said)
        over = any(choice["finish_reason"] for choice in said)
        if said and (over or at % JUDGED_AT_ONCE == 0):
            offsets = {"check_offset": prompt, "start_offset": start, "end_offset": end}
            for verdict in LATE_VERDICTS:
                judged = {"content_filter_offsets": offsets, VERDICT: verdict, "finish_reason": None, "index": 0}
                yield NOTHING._replace(choices=[judged])
            start = end


def usage(asked: Asked, reply: Reply) -> dict[str, Any]:
    details = {"accepted_prediction_tokens": 0, "audio_tokens": 0, "reasoning_tokens": reply.thought}
    return {
        "completion_tokens": reply.tokens,
        "completion_tokens_details": details | {"rejected_prediction_tokens": 0},
        "prompt_tokens": asked.tokens,
        "prompt_tokens_details": {"audio_tokens": 0, "cached_tokens": 0},
        "total_tokens": asked.tokens + reply.tokens,
    }


def _texts(asked: Asked, reply: Reply) -> tuple[str | None, ...]:
    """One for each choice; a choice that calls functions says nothing."""
    return reply.texts or (None,) * asked.choices


def _message(asked: Asked, reply: Reply, choice: int, text: str | None) -> dict[str, Any]:
    message: dict[str, Any] = {"annotations": [], "content": text, "refusal": None, "role": "assistant"}
    if not reply.calls:
        return message
    if asked.is_legacy:
        name, values = reply.calls[0]
        return message | {"function_call": {"arguments": compact(values), "name": name}}
    return message | {"tool_calls": [_call(asked, choice, at, *call) for at, call in enumerate(reply.calls)]}


def _deltas(
    asked: Asked, reply: Reply, choice: int, text: str | None
) -> Iterator[tuple[dict[str, Any], dict[str, Any], str | None]]:
    """Yields (content filter's verdict, delta, its text). The empty delta is the last."""
    if text is not None:
        yield {}, {"content": "", "refusal": None, "role": "assistant"}, None
        for piece in pieces(text):
            yield FRAME_VERDICT, {"content": piece}, piece
    else:
        yield {}, {"content": None, "role": "assistant"}, None
    for at, (name, values) in enumerate(reply.calls):
        start = {"arguments": "", "name": name}
        identity = {"id": _call_id(asked, choice, at), "index": at, "type": "function"}
        first = {"function_call": start} if asked.is_legacy else {"tool_calls": [{"function": start, **identity}]}
        yield {}, first, None
        for piece in pieces(compact(values)):
            told = {"arguments": piece}
            later = {"function_call": told} if asked.is_legacy else {"tool_calls": [{"function": told, "index": at}]}
            yield {}, later, None
    yield {}, {}, None


def _chunk(asked: Asked, usage: dict[str, Any]) -> Chunk:
    """Without choices."""
    begin, end = _identity(asked), {"object": "chat.completion.chunk", "system_fingerprint": _fingerprint(asked)}
    return Chunk([], f",{compact(begin)[1:-1]}", f",{compact(end | usage)[1:]}", asked.pads)


def _text(asked: Asked, chunk: Chunk) -> str:
    """The text, padded as that of recorded chunks is: without its verdicts it has a multiple of 16 bytes, and one."""
    choices = plain(chunk.choices)
    if not chunk.pads:
        return f'{{"choices":{choices}{chunk.before}{chunk.after}'
    text = f'{{"choices":{choices}{chunk.before},"obfuscation":""{chunk.after}'
    judged = sum(VERDICT_LENGTHS[bool(choice[VERDICT])] for choice in chunk.choices)
    padding = asked.seed.letters(choices, (1 + judged - (len(text) if text.isascii() else len(text.encode()))) % 16)
    return f'{{"choices":{choices}{chunk.before},"obfuscation":"{padding}"{chunk.after}'


def _identity(asked: Asked) -> dict[str, Any]:
    return {"created": CREATED, "id": f"chatcmpl-{asked.seed.letters('chat', 29)}", "model": asked.model}


def _fingerprint(asked: Asked) -> str | None:
    return None if asked.reasons else "fp_efad92c60b"  # the one recorded for gpt-4o-mini


def _finish(asked: Asked, reply: Reply, choice: int) -> str:
    if reply.calls:
        return "function_call" if asked.is_legacy else "tool_calls"
    return "length" if reply.is_cut(choice) else "stop"


def _call(asked: Asked, choice: int, at: int, name: str, values: dict[str, Any]) -> dict[str, Any]:
    function = {"arguments": compact(values), "name": name}
    return {"function": function, "id": _call_id(asked, choice, at), "type": "function"}


def _call_id(asked: Asked, choice: int, at: int) -> str:
    name = f"call {at} of {choice}" if choice else f"call {at}"
    return f"call_{asked.seed.letters(name, 24)}"


def _logprobs(asked: Asked, text: str | None) -> dict[str, Any] | None:
    if text is None or not asked.body.get("logprobs"):
        return None
    alternatives = int(asked.body.get("top_logprobs") or 0)
    return {"content": [token(asked, piece, alternatives) for piece in pieces(text)], "refusal": None}


def token(asked: Asked, token: str, alternatives: int) -> dict[str, Any]:
    """A token's log probability, and those of so many alternatives. The first alternative is the token itself."""
    alike = (token.upper(), f"{token}s", f"{token}?", "\n")
    likely = {"bytes": list(token.encode()), "logprob": -(1 + asked.seed.number(token, 9_000)) / 10_000, "token": token}
    others = [
        {"bytes": list(other.encode()), "logprob": round(math.log(0.05 / at), 6), "token": other}
        for at, other in enumerate((*alike, *LETTERS)[: max(0, alternatives - 1)], 1)
    ]
    return likely | {"top_logprobs": [likely, *others][:alternatives]}
