"""The steps of `python -m emulator demo`; their prompts are in emulator/demo.py."""

from collections.abc import Callable, Iterator

from emulator import demo
from emulator.synthetic import Answer, Scenario, says

STOPS = "22:14 Vienna\n23:05 Linz\n00:31 Salzburg\n02:48 Munich\n05:12 Strasbourg\n07:20 Paris"
FAST = "Because you read the first words while the last ones are still being written."
PROXY = "A proxy takes a request on behalf of somebody, passes it on, and hands the answer back."
CASSETTE = "Every request that was sent, every answer that came back, and when each piece of it arrived."
MOONS = "[[ ## answer ## ]]\nSaturn\n\n[[ ## completed ## ]]"


def to_its_end(play: Callable[[str, str], Iterator[str]]) -> Callable[[str, str], None]:
    def read(base_url: str, function_key: str) -> None:
        for _ in play(base_url, function_key):
            pass

    return read


def step(name: str, about: str, answer: Answer, play: Callable[[str, str], Iterator[str]]) -> Scenario:
    return Scenario(f"demo/{name}", f"The demo: {about}.", [("", answer)], to_its_end(play))


SCENARIOS = [
    step("chat", "chat", says(PROXY), demo.chat),
    step("streamed_chat", "streamed chat", says(STOPS), demo.streamed_chat),
    step("response", "Responses", says(CASSETTE), demo.response),
    step("streamed_response", "streamed Responses", says(FAST), demo.streamed_response),
    step("dspy_predict", "DSPy's Predict", says(MOONS), demo.dspy_predict),
]
