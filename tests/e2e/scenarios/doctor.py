"""What `python -m emulator doctor` asks; its prompts are in emulator/doctor/question.py."""

from emulator.doctor.examination import Doctor
from emulator.synthetic import Scenario, embeds, says

MODEL = "text-embedding-3-small"


def examine(base_url: str, function_key: str) -> None:
    for _ in Doctor(base_url, function_key, embeddings=MODEL).examine():
        pass  # an answer at once, as a scripted one is, is a problem to the doctor


READY = says("ready")
SCENARIOS = [
    Scenario(
        "doctor/checks",
        "A small call of each kind.",
        [
            ('"stream"', says(", ".join(map(str, range(1, 31))))),
            ("chat/completions", READY),
            ("responses", READY),
            ("embeddings", embeds()),
        ],
        examine,
    )
]
