"""The examples of the README and of docs/: their own code, run as it stands there."""

import os
import subprocess
import sys

from emulator.synthetic import Answer, Scenario, keeps, says
from tests.pages import block_with

HELLO = "Welcome to the class! I am glad that you are here."
PLANETS = "Mercury, Venus, Earth, Mars, Jupiter, Saturn, Uranus, Neptune."
LIGHTHOUSE = "It shows ships where the coast is, and which coast it is."
PROOFS = "One rearranges areas, one compares similar triangles, and one needs nothing but algebra."
LAMP = "[[ ## answer ## ]]\nA clockwork, and later an electric motor.\n\n[[ ## completed ## ]]"


def run_python(containing: str, base_url: str, function_key: str) -> str:
    """Run the one Python block that contains the text, as a program of its own; what it prints."""
    return _run([sys.executable, "-c", block_with("python", containing)], base_url, function_key)


def run_curl(base_url: str, function_key: str) -> str:
    return _run(["bash", "-c", block_with("bash", "curl ")], base_url, function_key)


def _run(command: list[str], base_url: str, function_key: str) -> str:
    environment = os.environ | {"PROXY_BASE_URL": base_url, "FUNCTION_HOST_KEY": function_key}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def example(name: str, about: str, containing: str, *answers: tuple[str, Answer]) -> Scenario:
    def play(base_url: str, function_key: str) -> None:
        run_python(containing, base_url, function_key)

    return Scenario(f"docs/{name}", f"The documentation: {about}.", answers, play)


SCENARIOS = [
    example(
        *("sdk", "the OpenAI SDK", "Name the planets"),
        ("Say hello", says(HELLO)),
        ("Name the planets", says(PLANETS)),
    ),
    example("first", "the first call", "lighthouse for", ("", says(LIGHTHOUSE))),
    example(
        *("async", "the asynchronous SDK", "AsyncOpenAI"),
        ("Oslo", says("Oslo has an island of bathing spots in its fjord.")),
        ("Rome", says("Rome has more than two thousand fountains.")),
    ),
    example(
        *("background", "a response in the background", "background=True"),
        ("Compare three proofs", keeps("queued")),
        ("GET /openai/v1/responses/", keeps("in_progress")),
        ("GET /openai/v1/responses/", keeps("completed", PROOFS, thought=64)),
    ),
    example("dspy", "DSPy", "import dspy", ("turns a lighthouse", says(LAMP))),
    Scenario("docs/curl", "The documentation: curl.", [("", says("Hello, curl!"))], run_curl),
]
