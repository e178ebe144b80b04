"""Sound and pictures through the OpenAI SDK: as bytes, as text, in a form, in events that hold a whole picture."""

from typing import Any

from openai import OpenAI

from emulator.synthetic import Scenario, draws, hears, speaks
from emulator.synthetic.media import beeps, picture, sound

from . import sdk

SPEAKER, LISTENER, WHISPER, PAINTER = "gpt-4o-mini-tts", "gpt-4o-mini-transcribe", "whisper", "gpt-image-1"
GREETING, GREETED = "Good morning.", "Good morning, everybody."
MEETING = ("meeting.wav", sound(beeps(GREETING, 4.0), "wav"))
CAT = ("cat.png", picture("Cat", 64, 64, (40, 30, 20), (250, 240, 220)))
PROMPT = "A lighthouse keeper's cat"


def speech(client: OpenAI) -> Any:
    return client.audio.speech.create(
        model=SPEAKER, voice="alloy", input=GREETING, response_format="wav", speed=4.0, instructions="Be brief."
    )


def transcription(client: OpenAI) -> Any:
    return client.audio.transcriptions.create(model=LISTENER, file=MEETING)


def transcription_stream(client: OpenAI) -> Any:
    return client.audio.transcriptions.create(model=LISTENER, file=MEETING, stream=True, include=["logprobs"])


def subtitles(client: OpenAI) -> Any:
    return client.audio.transcriptions.create(model=WHISPER, file=MEETING, response_format="srt", language="en")


def translation(client: OpenAI) -> Any:
    return client.audio.translations.create(model=WHISPER, file=MEETING)


def image(client: OpenAI) -> Any:
    return client.images.generate(model=PAINTER, prompt=PROMPT, quality="low")


def image_stream(client: OpenAI) -> Any:
    return client.images.generate(model=PAINTER, prompt=PROMPT, quality="low", stream=True, partial_images=1)


def edit(client: OpenAI) -> Any:
    return client.images.edit(model=PAINTER, prompt="As a painting", image=[CAT, CAT], quality="low")


SCENARIOS = [
    Scenario("media/speech", "Two words, spoken as WAV.", [("", speaks())], sdk(speech)),
    Scenario("media/transcription", "What is said in a sound.", [("", hears(GREETED))], sdk(transcription)),
    Scenario(
        "media/transcription_stream",
        "The same, word by word with log probabilities.",
        [("", hears(GREETED))],
        sdk(transcription_stream),
    ),
    Scenario("media/subtitles", "The same as SubRip.", [("", hears(GREETED))], sdk(subtitles)),
    Scenario("media/translation", "A sound in another language, in English.", [("", hears(GREETED))], sdk(translation)),
    Scenario("media/image", "A picture.", [("", draws())], sdk(image)),
    Scenario("media/image_stream", "A picture and its beginning, in events.", [("", draws())], sdk(image_stream)),
    Scenario("media/edit", "A picture made of two.", [("", draws())], sdk(edit)),
]
