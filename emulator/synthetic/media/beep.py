"""Beeps in place of speech: one for each word, higher for a longer word."""

import array
import functools
import math
import sys

RATE = 24_000  # samples a second, as OpenAI's pcm has (OpenAI, "Text to speech")
MOST_WORDS = 20
WORD_SECONDS, PAUSE_SECONDS = 0.06, 0.02
LOWEST_HZ, STEP_HZ, MOST_STEPS = 300, 50, 12
LOUDNESS = 6_000  # of 32,767
FADE_SAMPLES = 120  # at both ends of a beep, which would click else


def beeps(text: str, speed: float = 1.0) -> bytes:
    """Samples of 16 bits, little-endian, one channel: the first MOST_WORDS words; one beep where there are none."""
    words = text.split()[:MOST_WORDS] or ["-"]
    return b"".join(_beep(min(len(word), MOST_STEPS), round(RATE * WORD_SECONDS / speed)) for word in words)


@functools.lru_cache(64)  # few lengths of words at few speeds
def _beep(steps: int, samples: int) -> bytes:
    turn = 2 * math.pi * (LOWEST_HZ + STEP_HZ * steps) / RATE
    wave = array.array("h", (round(LOUDNESS * math.sin(turn * at) * _fade(at, samples)) for at in range(samples)))
    wave.extend([0] * round(samples * PAUSE_SECONDS / WORD_SECONDS))
    if sys.byteorder == "big":
        wave.byteswap()
    return wave.tobytes()


def _fade(at: int, samples: int) -> float:
    return min(1.0, at / FADE_SAMPLES, (samples - at) / FADE_SAMPLES)
