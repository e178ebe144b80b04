"""An excerpt keeps little of a stream, and all that the record needs."""

import json

import pytest

from proxy.ending import ENDINGS, Ending
from proxy.excerpt import HEAD_BYTES, SLACK_BYTES, STREAM_TAIL_BYTES
from tests.support import told

WORD = b'data: {"choices":[{"delta":{"content":"word"},"finish_reason":null,"index":0}],"usage":null}\n\n'
VERDICT = b'data: {"choices":[{"content_filter_results":{"hate":{"filtered":false}},"finish_reason":null}]}\n\n'


def seen(route: str, *events: bytes) -> Ending:
    ending = ENDINGS[route]()
    for event in events:
        ending.add(event)
        kept = len(ending.excerpt.head) + len(ending.excerpt.tail)
        assert kept <= max(HEAD_BYTES + STREAM_TAIL_BYTES + SLACK_BYTES, len(events[-2]))
    return ending


def test_a_chat_that_the_filter_judges_after_its_end() -> None:
    last = b'data: {"choices":[{"delta":{},"finish_reason":"length","index":0}],"usage":null}\n\n'
    usage = b'data: {"choices":[],"usage":{"completion_tokens":7,"prompt_tokens":11,"total_tokens":18}}\n\n'
    verdicts = [VERDICT] * (3_000 // len(VERDICT))
    ending = seen("chat/completions", *[WORD] * 10_000, last, *verdicts, usage, b"data: [DONE]\n\n")
    assert ending.reached
    assert not ending.excerpt.head
    assert (told(ending.excerpt).finish_reason, told(ending.excerpt).total_tokens) == ("length", 18)


def test_of_a_chat_that_goes_on_only_the_last_word_is_kept() -> None:
    ending = seen("chat/completions", b'data: {"choices":[],"prompt_filter_results":[]}\n\n', *[WORD] * 100, b"")
    assert ending.excerpt.tail == WORD


def test_of_much_that_comes_at_once_little_is_kept() -> None:
    ending = seen("chat/completions", WORD, WORD * 1_000)
    assert len(ending.excerpt.tail) <= STREAM_TAIL_BYTES + SLACK_BYTES


@pytest.mark.parametrize("cut", range(0, 70, 3))
def test_two_answers_that_end_one_after_the_other(cut: int) -> None:
    first = b'data: {"choices":[{"delta":{},"finish_reason":"length","index":1}],"usage":null}\n\n'
    last = b'data: {"choices":[{"delta":{},"finish_reason":"stop","index":0}],"usage":null}\n\ndata: [DONE]\n\n'
    ending = seen("chat/completions", WORD, first[:cut], first[cut:] + WORD, *[WORD] * 10, last)
    assert ending.reached
    assert told(ending.excerpt).finish_reason == "length,stop"


def test_a_response_with_as_much_metadata_as_azure_allows() -> None:
    response = {
        "id": "resp_1",
        "status": "completed",
        "model": "m-1",
        "output": ["x" * 40_000],
        "usage": {"input_tokens": 21, "output_tokens": 16, "total_tokens": 37},
        "metadata": {f"{key:064}": "x" * 512 for key in range(16)},
    }
    begun = b'data: {"type":"response.created"}\n\n'
    last = b'data: {"type":"response.completed","response":%s}\n\n' % json.dumps(response).encode()
    ending = seen("responses", begun, *[WORD] * 1_000, last, b"")
    assert ending.reached
    assert (told(ending.excerpt).finish_reason, told(ending.excerpt).total_tokens) == ("completed", 37)
