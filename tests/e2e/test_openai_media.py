"""Sound and pictures through the whole chain with the OpenAI SDK: over recordings, and improvised."""

import base64
from typing import Any

import openai
import pytest
from openai import OpenAI

from emulator.emulation import Emulator
from emulator.synthetic.media import beeps, sound
from emulator.tape.media import media_of
from tests.e2e.improvised import made_up
from tests.e2e.scenarios import Ask, media


def test_speech_is_heard(ask: Ask) -> None:
    assert str(media_of(ask(media.speech).content)) == "WAV, 0.04 s, 1,964 bytes"


def test_a_sound_is_written_down(ask: Ask) -> None:
    assert ask(media.transcription).text == media.GREETED
    assert ask(media.translation).text == media.GREETED
    assert media.GREETED in ask(media.subtitles)


def test_a_transcription_comes_word_by_word(ask: Ask) -> None:
    events = ask(media.transcription_stream)
    assert "".join(event.delta for event in events[:-1]) == events[-1].text == media.GREETED
    assert all(event.logprobs for event in events)


def test_a_picture_is_drawn_and_drawn_again(ask: Ask) -> None:
    for question in (media.image, media.edit):
        answer = ask(question)
        assert media_of(base64.b64decode(answer.data[0].b64_json)).size == (1024, 1024)
        assert answer.usage.output_tokens == 272


def test_a_picture_comes_after_its_beginning(ask: Ask) -> None:
    events = ask(media.image_stream)
    assert [event.type for event in events] == ["image_generation.partial_image", "image_generation.completed"]


def test_each_is_played_from_a_recording_and_passes_unchanged(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    raw: Any = openai_client.audio.transcriptions.with_raw_response
    for _ in range(2):  # with another boundary
        got = raw.create(model=media.LISTENER, file=media.MEETING)
        aoai_emulator.assert_transparent(got.http_response)
    aoai_emulator.assert_recorded()


@pytest.mark.parametrize("fault", ["rate_limited; retry=ms", "server_error"])
def test_a_fault_reaches_the_client(openai_client: OpenAI, aoai_emulator: Emulator, fault: str) -> None:
    aoai_emulator.fault(fault)
    for question in (media.speech, media.transcription, media.image):
        with pytest.raises(openai.APIStatusError) as failed:
            question(openai_client)
        assert failed.value.status_code in (429, 500)


@pytest.mark.aoai_improvise
@pytest.mark.parametrize("form", ["mp3", "opus", "aac", "flac", "wav"])
def test_improvised_speech_has_every_format(openai_client: OpenAI, aoai_emulator: Emulator, form: Any) -> None:
    got = openai_client.audio.speech.create(model=media.SPEAKER, voice="ash", input="Unheard.", response_format=form)
    assert media_of(got.content).kind == form
    assert made_up(aoai_emulator) == 1


@pytest.mark.aoai_improvise
def test_an_improvised_transcription_says_what_arrived(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    file = ("new.wav", sound(beeps("Nobody has heard this."), "wav"))
    got = openai_client.audio.transcriptions.create(model=media.WHISPER, file=file)
    assert got.text == f"You sent “new.wav”: WAV, 0.32 s, {len(file[1]):,} bytes."
    events: Any = list(openai_client.audio.transcriptions.create(model=media.LISTENER, file=file, stream=True))
    assert events[-1].text == got.text
    assert made_up(aoai_emulator) == 2


@pytest.mark.aoai_improvise
def test_improvised_pictures_stream(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    asked: Any = {"model": media.PAINTER, "prompt": "Nothing that was drawn before", "stream": True}
    drawn = [event.type for event in openai_client.images.generate(**asked, partial_images=2)]
    assert drawn == ["image_generation.partial_image"] * 2 + ["image_generation.completed"]
    edited: Any = list(openai_client.images.edit(**asked, image=media.CAT))
    assert media_of(base64.b64decode(edited[-1].b64_json)).size == (1024, 1024)
    assert made_up(aoai_emulator) == 2
