"""`check` finds a planted defect of every kind, and finds nothing where nothing is planted."""

import pytest

from emulator.tape.cassette import Interaction
from tests.golden import assert_golden
from tests.lint.planting import (
    CHAT,
    CHAT_STREAM,
    COUNT,
    DELETED,
    HEARD,
    MODELS,
    PICTURE,
    PICTURE_STREAM,
    REFUSAL,
    RESPONSE,
    RESPONSE_STREAM,
    SOUND,
    SPEECH,
    SPEECH_STREAM,
    SUBTITLES,
    TOOL_STREAM,
    VECTORS,
    Workplace,
    answer,
    frames,
    renumbered,
    reordered,
    swap,
    with_type,
    without_header,
)

DONE = b"data: \\[DONE\\]\n\n"
SPACED = swap(swap(CHAT, rb",", b", ", 0), rb'":', b'": ', 0)

PLANTED: dict[str, dict[str, Interaction]] = {
    "framing": {
        "no empty line at the end": swap(CHAT_STREAM, rb"\n\n$", b"\n"),
        "no [DONE] in chat": answer(swap(CHAT_STREAM, DONE, b""), frame_at_ms=()),
        "[DONE] before the end": reordered(CHAT_STREAM, 0, 1, 2, 3, 5, 4),
        "[DONE] in Responses": answer(swap(RESPONSE_STREAM, rb"\Z", b"data: [DONE]\n\n"), frame_at_ms=()),
        "an event named otherwise": swap(RESPONSE_STREAM, b"event: response.created", b"event: response.started"),
        "an event that is no JSON": swap(CHAT_STREAM, rb'"index":0,', b'"index":0,,'),
        "a body that is no JSON": swap(CHAT, rb'"index":0,', b'"index":0,,'),
        "a refusal that is no JSON": swap(REFUSAL, rb"}$", b""),
        "a line that is no field": swap(CHAT_STREAM, rb"data: {", b"date: {"),
        "a time too few": answer(CHAT_STREAM, frame_at_ms=(1, 2, 3)),
        "times that go back": answer(CHAT_STREAM, frame_at_ms=(1, 2, 3, 2, 5, 6)),
        "a stream without content type": without_header(CHAT_STREAM, "content-type"),
        "a stream that says JSON": with_type(CHAT_STREAM, "application/json"),
        "an answer that says text": with_type(CHAT, "text/plain"),
        "a sound without bytes": answer(SPEECH, body=b""),
        "[DONE] before a picture": answer(swap(PICTURE_STREAM, rb"\A", b"data: [DONE]\n\n"), frame_at_ms=()),
        "subtitles that say JSON": with_type(SUBTITLES, "application/json"),
    },
    "sdk": {
        "a field is missing": swap(CHAT, rb'"created":\d+,', b""),
        "a field is mistyped": swap(CHAT, rb'"created":\d+', b'"created":"today"'),
        "an item deep inside is mistyped": swap(CHAT, rb'"content":"Hello."', b'"content":["Hello."]'),
        "every chunk is mistyped": swap(CHAT_STREAM, rb'"index":0', b'"index":"0"', 0),
        "an event's field is missing": swap(RESPONSE_STREAM, rb'"content_index":0,"delta"', b'"delta"'),
        "an item of an answer is mistyped": swap(RESPONSE, rb'"annotations": \[\]', b'"annotations": {}'),
        "a label is mistyped": swap(RESPONSE, rb'"metadata": {}', b'"metadata": {"run": 7}'),
        "base64 that nobody asked for": swap(VECTORS, rb'"embedding": \[.+?\]', b'"embedding": "AAAA"'),
        "a refusal without a message": swap(REFUSAL, rb'"message":".+?",', b""),
        "a refusal without an error": answer(REFUSAL, body=b'{"detail":"no"}'),
        "an error in a 200": answer(CHAT, body=REFUSAL.response.body + b"\n"),
        "an error in a stream without a message": answer(
            CHAT_STREAM, body=b"".join(frames(CHAT_STREAM)[:3]) + b'data: {"error":{"code":"x"}}\n\n', frame_at_ms=()
        ),
        "usage of a picture is mistyped": swap(PICTURE, rb'"output_tokens":\d+', b'"output_tokens":"many"'),
        "a spoken event without its sound": swap(SPEECH_STREAM, rb'"audio":', b'"sound":'),
        "a word without its text": swap(HEARD, rb'"delta":', b'"said":'),
        "a count that is none": swap(COUNT, b"3", b"3.5"),
        "a model without its owner": swap(MODELS, rb',"owned_by":"x"', b""),
        "a deletion that did not delete": swap(DELETED, b"true", b"false"),
    },
    "openapi": {
        "a described field is missing": swap(CHAT, rb'"system_fingerprint":"\w+",', b""),
        "a described refusal is mistyped": swap(REFUSAL, rb'"param":"prompt"', b'"param":1'),
        "a described field is mistyped": swap(
            CHAT, rb'"prompt_filter_results":\[.+?\],"sys', b'"prompt_filter_results":{},"sys'
        ),
    },
    "order": {
        "a delta before its part": renumbered(reordered(RESPONSE_STREAM, 0, 1, 2, 4, 3, 5, 6, 7, 8, 9)),
        "a part before its item": renumbered(reordered(RESPONSE_STREAM, 0, 1, 3, 2, 4, 5, 6, 7, 8, 9)),
        "a part done twice": renumbered(
            answer(reordered(RESPONSE_STREAM, 0, 1, 2, 3, 4, 5, 6, 7, 7, 8, 9), frame_at_ms=())
        ),
        "an item never done": renumbered(reordered(RESPONSE_STREAM, 0, 1, 2, 3, 4, 5, 6, 7, 9)),
        "events after the end": renumbered(reordered(RESPONSE_STREAM, 0, 1, 2, 3, 4, 5, 6, 7, 9, 8)),
        "another beginning": renumbered(reordered(RESPONSE_STREAM, *range(1, 10))),
        "no end": reordered(RESPONSE_STREAM, *range(9)),
        "a number left out": swap(RESPONSE_STREAM, rb'"sequence_number":5', b'"sequence_number":6'),
        "a text that is not its deltas": swap(
            RESPONSE_STREAM, rb'"sequence_number":6,"text":"Hello."', b'"sequence_number":6,"text":"Hi."'
        ),
        "an output that was not done": swap(RESPONSE_STREAM, rb'"output":\[{"id":"msg_', b'"output":[{"id":"msg_2'),
        "a Responses stream without events": answer(RESPONSE_STREAM, body=b": nothing\n\n", frame_at_ms=()),
        "more after the finish": reordered(CHAT_STREAM, 0, 1, 2, 4, 3, 5),
        "no finish": answer(reordered(CHAT_STREAM, 0, 1, 2, 3, 5), frame_at_ms=()),
        "a call without a name": reordered(TOOL_STREAM, 0, 1, 3, 4, 5, 6, 7, 8, 9),
        "another id in mid-stream": swap(CHAT_STREAM, rb'"id":"chatcmpl-\w+"', b'"id":"chatcmpl-2"'),
        "no choices": answer(reordered(CHAT_STREAM, 0, 5), frame_at_ms=()),
    },
    "media": {
        "another sound than was asked for": answer(SPEECH, body=b"ID3\x03 is no wav"),
        "an error page for a sound": answer(SPEECH, body=b"<html>"),
        "a picture that is none": swap(PICTURE, rb'"b64_json":"....', b'"b64_json":"AAAA'),
        "a picture that is no base64": swap(PICTURE, rb'"b64_json":"....', b'"b64_json":"%%%%'),
        "a partial image that is none": swap(PICTURE_STREAM, rb'"b64_json":"....', b'"b64_json":"AAAA'),
    },
    "shape": {
        "keys in another order": swap(CHAT, rb'("id":"\S+?"),("model":"\S+?"),', rb"\2,\1,"),
        "keys in another order, deep inside": swap(CHAT, rb'("filtered":false),("detected":false)', rb"\2,\1"),
        "a header that all have": without_header(CHAT, "x-ms-region", "x-request-id"),
        "another white space": SPACED,
        "no final newline": swap(CHAT, rb"\n$", b""),
    },
}


CASES = [(code, name) for code, defects in PLANTED.items() for name in defects]


@pytest.mark.parametrize(("code", "name"), CASES)
def test_a_planted_defect_is_found(
    code: str, name: str, workplace: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    workplace.tape("planted", PLANTED[code][name])
    checked = workplace.check(capsys, "--json")
    assert checked.code == 1
    assert code in checked.codes


def test_what_a_user_reads_of_planted_defects(workplace: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    texts = []
    for code, name in CASES:
        workplace.tape("planted", PLANTED[code][name])
        texts.append(f"--- {code}: {name}\n{workplace.check(capsys).text}")
    assert_golden("../lint/golden/planted.txt", "\n".join(texts))


def test_sound_recordings_have_no_errors(workplace: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    workplace.tape("sound", *SOUND)
    checked = workplace.check(capsys)
    assert checked.code == 0
    assert_golden("../lint/golden/sound.txt", checked.text)
