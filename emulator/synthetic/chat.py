"""Chat completions as Azure sends them (recorded November 2025 to January 2026): compact JSON with alphabetical keys
and a final newline, or SSE frames that begin with the verdict on the prompt."""

import math
from collections.abc import Iterable, Iterator
from typing import Any

from ..tape.cassette import Response
from . import headers
from .asked import Asked, Reply
from .seed import CREATED
from .text import compact, pieces, schedule

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
NOTHING = {"choices": [], "created": 0, "id": "", "model": "", "object": ""}
LATE_VERDICTS = (FRAME_VERDICT, {name: UNSEEN for name in TEXT_VERDICT if name.startswith("protected")})
JUDGED_AT_ONCE = 8  # about how many chunks the asynchronous filter judges together

Chunk = dict[str, Any]


def response(asked: Asked, reply: Reply) -> Response:
    if asked.streams:
        return stream(asked, chunks(asked, reply))
    body = whole(asked, reply)
    return Response(200, "OK", headers.chat(asked.seed, asked.deployment, body), body)


def stream(asked: Asked, told: Iterable[Chunk]) -> Response:
    frames = [f"data: {compact(chunk)}\n\n" for chunk in told] + ["data: [DONE]\n\n"]
    body = "".join(frames).encode()
    return Response(
        200, "OK", headers.chat(asked.seed, asked.deployment, body, headers.SSE), body, schedule(len(frames))
    )


def whole(asked: Asked, reply: Reply) -> bytes:
    tool_calls = {"tool_calls": [_call(asked, at, *call) for at, call in enumerate(reply.calls)]} if reply.calls else {}
    choices: list[dict[str, Any]] = [
        {
            VERDICT: {} if text is None else TEXT_VERDICT,
            "finish_reason": _finish(reply),
            "index": index,
            "logprobs": _logprobs(asked, text),
            "message": {"annotations": [], "content": text, "refusal": None, "role": "assistant"} | tool_calls,
        }
        for index, text in enumerate(reply.texts or (None,))
    ]
    completion = {
        "choices": choices,
        **_identity(asked),
        "object": "chat.completion",
        "prompt_filter_results": PROMPT_FILTER_RESULTS,
        "system_fingerprint": _fingerprint(asked),
        "usage": usage(asked, reply),
    }
    return compact(completion).encode() + b"\n"


def chunks(asked: Asked, reply: Reply) -> Iterator[Chunk]:
    """Prompt verdict, then per choice: role, pieces, finish; then usage, where it was asked for."""
    counts = (asked.body.get("stream_options") or {}).get("include_usage") is True
    unknown = {"usage": None} if counts else {}
    yield NOTHING | {"prompt_filter_results": PROMPT_FILTER_RESULTS}
    for index, text in enumerate(reply.texts or (None,)):
        for verdict, delta, said in _deltas(asked, reply, text):
            choice = {
                VERDICT: verdict,
                "delta": delta,
                "finish_reason": None if delta else _finish(reply),
                "index": index,
                "logprobs": _logprobs(asked, said),
            }
            yield _chunk(asked, [choice], unknown)
    if counts:
        yield _chunk(asked, [], {"usage": usage(asked, reply)})


def chunks_judged_later(asked: Asked, reply: Reply) -> Iterator[Chunk]:
    """The chunks of a deployment with the asynchronous filter: its verdicts come later, in chunks whose choice has no
    delta (recorded in 2026 by other projects). Offsets count from the start of the prompt."""
    start = end = prompt = asked.tokens * 4
    for at, chunk in enumerate(chunks(asked, reply)):
        said = [choice | {VERDICT: {}} for choice in chunk["choices"]]
        yield chunk | {"choices": said}
        end += sum(len(choice["delta"].get("content") or "") for choice in said)
        over = any(choice["finish_reason"] for choice in said)
        if said and (over or at % JUDGED_AT_ONCE == 0):
            offsets = {"check_offset": prompt, "start_offset": start, "end_offset": end}
            for verdict in LATE_VERDICTS:
                judged = {"content_filter_offsets": offsets, VERDICT: verdict, "finish_reason": None, "index": 0}
                yield NOTHING | {"choices": [judged]}
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


def _deltas(
    asked: Asked, reply: Reply, text: str | None
) -> Iterator[tuple[dict[str, Any], dict[str, Any], str | None]]:
    """(content filter's verdict, delta, text said); the empty delta is the last."""
    if text is not None:
        yield {}, {"content": "", "refusal": None, "role": "assistant"}, None
        for piece in pieces(text):
            yield FRAME_VERDICT, {"content": piece}, piece
    else:
        yield {}, {"content": None, "role": "assistant"}, None
    for at, (name, values) in enumerate(reply.calls):
        start = _call(asked, at, name, {})
        start["function"]["arguments"] = ""
        yield (
            {},
            {"tool_calls": [{"function": start["function"], "id": start["id"], "index": at, "type": "function"}]},
            None,
        )
        for piece in pieces(compact(values)):
            yield {}, {"tool_calls": [{"function": {"arguments": piece}, "index": at}]}, None
    yield {}, {}, None


def _chunk(asked: Asked, choices: list[dict[str, Any]], usage: dict[str, Any]) -> dict[str, Any]:
    """A chunk, padded as the recorded ones are: without its verdicts it has a multiple of 16 bytes, and one."""
    chunk = {
        "choices": choices,
        **_identity(asked),
        "obfuscation": "",
        "object": "chat.completion.chunk",
        "system_fingerprint": _fingerprint(asked),
        **usage,
    }
    unjudged = [{name: value for name, value in entry.items() if name != VERDICT} for entry in choices]
    padding = (1 - len(compact(chunk | {"choices": unjudged}).encode())) % 16
    return chunk | {"obfuscation": asked.seed.letters(compact(choices), padding)}


def _identity(asked: Asked) -> dict[str, Any]:
    return {"created": CREATED, "id": f"chatcmpl-{asked.seed.letters('chat', 29)}", "model": asked.model}


def _fingerprint(asked: Asked) -> str | None:
    return None if asked.reasons else "fp_efad92c60b"  # the one recorded for gpt-4o-mini


def _finish(reply: Reply) -> str:
    return "tool_calls" if reply.calls else "length" if reply.cut else "stop"


def _call(asked: Asked, at: int, name: str, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "function": {"arguments": compact(values), "name": name},
        "id": f"call_{asked.seed.letters(f'call {at}', 24)}",
        "type": "function",
    }


def _logprobs(asked: Asked, text: str | None) -> dict[str, Any] | None:
    if text is None or not asked.body.get("logprobs"):
        return None
    alternatives = int(asked.body.get("top_logprobs") or 0)
    return {"content": [_token(asked, piece, alternatives) for piece in pieces(text)], "refusal": None}


def _token(asked: Asked, token: str, alternatives: int) -> dict[str, Any]:
    likely = {"bytes": list(token.encode()), "logprob": -(1 + asked.seed.number(token, 9_000)) / 10_000, "token": token}
    others = [
        {"bytes": list(other.encode()), "logprob": round(math.log(0.05 / at), 6), "token": other}
        for at, other in enumerate((token.upper(), f"{token}s", f"{token}?", "\n")[: max(0, alternatives - 1)], 1)
    ]
    return likely | {"top_logprobs": [likely, *others][:alternatives]}
