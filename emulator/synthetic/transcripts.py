"""What was heard in a sound file, in each form in which the API says it (OpenAI API reference, "Create transcription";
Azure's is the same)."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..tape.cassette import Response
from ..tape.estimate import BYTES_PER_SECOND
from ..tape.media import media_of
from . import events, headers
from .asked import Asked
from .chat import token
from .text import compact, pieces
from .upload import Upload

PLAIN = "text/plain; charset=utf-8"
LANGUAGE = "english"
TOKENS_PER_SECOND = 10  # of sound
TRANSLATED = "audio/translations"


class Heard:
    """A text, and the sound that it was heard in."""

    def __init__(self, asked: Asked, text: str = "") -> None:
        upload: Upload = asked.body["file"]
        media = media_of(upload.data)
        self.asked, self.text = asked, text or f"You sent “{upload.filename}”: {media}."
        self.seconds = round(media.seconds or len(upload.data) / BYTES_PER_SECOND, 2)

    @property
    def is_translation(self) -> bool:
        return self.asked.operation == TRANSLATED

    @property
    def counts_tokens(self) -> bool:
        """Whether the model is none of Whisper's, which counts seconds and does not stream."""
        return "transcribe" in self.asked.deployment and not self.is_translation

    @property
    def usage(self) -> dict[str, Any]:
        heard, said = max(1, round(self.seconds * TOKENS_PER_SECOND)), len(pieces(self.text))
        details = {"text_tokens": 0, "audio_tokens": heard}
        counted = {"input_tokens": heard, "input_token_details": details, "output_tokens": said}
        return {"type": "tokens", "total_tokens": heard + said, **counted}

    @property
    def logprobs(self) -> list[dict[str, Any]] | None:
        if "logprobs" not in (self.asked.body.get("include") or ()):
            return None
        return [_logprob(self.asked, piece) for piece in pieces(self.text)]


def _logprob(asked: Asked, piece: str) -> dict[str, Any]:
    told = token(asked, piece, 0)
    return {name: told[name] for name in ("token", "logprob", "bytes")}


def response(asked: Asked, text: str = "") -> Response:
    """`text` is what was heard; without one, what the sound is."""
    heard = Heard(asked, text)
    if asked.streams and heard.counts_tokens:
        return events.response(asked, _events(heard))
    kind, make = FORMS[str(asked.body.get("response_format") or "json")]
    body = make(heard).encode()
    return Response(200, "OK", headers.chat(asked.seed, asked.deployment, body, kind), body)


def _events(heard: Heard) -> Iterator[dict[str, Any]]:
    logprobs = heard.logprobs
    for at, piece in enumerate(pieces(heard.text)):
        told = {"logprobs": [logprobs[at]]} if logprobs else {}
        yield {"type": "transcript.text.delta", "delta": piece, **told}
    told = {"logprobs": logprobs} if logprobs else {}
    yield {"type": "transcript.text.done", "text": heard.text, **told, "usage": heard.usage}


def _json(heard: Heard) -> str:
    if not heard.counts_tokens:
        return compact({"text": heard.text})
    told = {"logprobs": heard.logprobs} if heard.logprobs else {}
    return compact({"text": heard.text, **told, "usage": heard.usage})


def _verbose(heard: Heard) -> str:
    wanted = heard.asked.body.get("timestamp_granularities") or ["segment"]
    task = "translate" if heard.is_translation else "transcribe"
    told: dict[str, Any] = {"task": task, "language": LANGUAGE, "duration": heard.seconds, "text": heard.text}
    told |= {"words": list(_words(heard))} if "word" in wanted else {}
    return compact(told | ({"segments": [_segment(heard)]} if "segment" in wanted else {}))


def _segment(heard: Heard) -> dict[str, Any]:
    return {
        "id": 0,
        "seek": 0,
        "start": 0.0,
        "end": heard.seconds,
        "text": f" {heard.text}",
        "tokens": [50_364 + heard.asked.seed.number(f"token {at}", 1_000) for at in range(len(pieces(heard.text)))],
        "temperature": 0.0,
        "avg_logprob": -0.25,
        "compression_ratio": 1.1,
        "no_speech_prob": 0.01,
    }


def _words(heard: Heard) -> Iterator[dict[str, Any]]:
    words = heard.text.split()
    each = heard.seconds / len(words)
    for at, word in enumerate(words):
        yield {"word": word, "start": round(at * each, 2), "end": round((at + 1) * each, 2)}


def _srt(heard: Heard) -> str:
    """SubRip: a number, a comma before the milliseconds."""
    return f"1\n{_clock(0, ',')} --> {_clock(heard.seconds, ',')}\n{heard.text}\n\n"


def _vtt(heard: Heard) -> str:
    """W3C, "WebVTT"."""
    return f"WEBVTT\n\n{_clock(0, '.')} --> {_clock(heard.seconds, '.')}\n{heard.text}\n\n"


def _clock(seconds: float, mark: str) -> str:
    whole, ms = divmod(round(1_000 * seconds), 1_000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{mark}{ms:03}"


FORMS: Mapping[str, tuple[str, Callable[[Heard], str]]] = {
    "json": (headers.JSON, _json),
    "verbose_json": (headers.JSON, _verbose),
    "text": (PLAIN, lambda heard: f"{heard.text}\n"),
    "srt": (PLAIN, _srt),
    "vtt": (PLAIN, _vtt),
}
