"""The pictures of the page in docs/: three stories, in light and dark, at a set time of day.

    python -m tests.page.screenshots

Fonts differ from machine to machine, so no test compares pixels.
"""

import io
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from PIL import Image  # matplotlib brings it

from emulator.azure import FakeAzure, faults
from emulator.bundle import CASSETTES, ROOT
from emulator.match.library import Library
from emulator.page.control import Control
from emulator.page.subject import Subject
from emulator.server import bind, serving
from tests.page.browser import WIDE, Tab, chromium

FOLDER = ROOT / "docs"
MOST_BYTES = 200_000
COLOURS = 96
BEGIN = datetime(2026, 11, 28, 10, 3, 21, tzinfo=UTC)
SEEN_SECONDS = 1.2  # until all is drawn
PLAYED = (
    ("demo/chat #1", ""),
    ("chat/tools #1", ""),
    ("docs/sdk #1", ""),
    ("responses/text #1", ""),
    ("embeddings/float #1", ""),
    ("demo/streamed_chat #1", ""),
    ("chat/json_schema #1", ""),
    ("demo/streamed_response #1", "slow_frames; seconds=0.05"),
    ("demo/chat #1", "rate_limited; retry=ms; times=1"),
    ("demo/chat #1", ""),
    ("chat/conversation #1", ""),
    ("demo/streamed_chat #1", "reset; at_frame=20"),
    ("chat/reasoning #1", ""),
    ("chat/parallel_tools #1", ""),
)

TALK = [label for label, _ in PLAYED].index("chat/conversation #1")
ASKED, WRONG = "docs/sdk #1", (b"class", b"clas")


@dataclass
class Scene:
    """A fake Azure at which calls are made as a client makes them."""

    azure: FakeAzure
    base: str
    open: ExitStack

    def play(self, label: str, fault: str = "", change: tuple[bytes, bytes] = (b"", b""), is_held: bool = False) -> int:
        """The number of the call."""
        (found,) = (one for one in self.azure.library.interactions() if one.label == label)
        url, body = (
            urlsplit(found.request.uri),
            found.request.body.replace(*change) if change[0] else found.request.body,
        )
        headers = {"api-key": self.azure.api_key} | ({"openai-emulator-fault": fault} if fault else {})
        client = self.open.enter_context(httpx.Client(base_url=self.base, trust_env=False, timeout=30))
        path = f"{url.path}?{url.query}".rstrip("?")
        answer = client.send(client.build_request("POST", path, content=body, headers=headers), stream=True)
        self.open.callback(answer.close)
        if not is_held:
            with suppress(httpx.HTTPError):  # the fault
                answer.read()
        return self.azure.journal.exchanges[-1].number


@contextmanager
def scene() -> Iterator[Scene]:
    azure = FakeAzure(Library.from_folders((CASSETTES,)), time_scale=1.0)
    azure.journal.epoch = BEGIN.timestamp() - time.monotonic()
    folders = [Path(CASSETTES)]
    with serving(azure, bind(0)) as base, Control(Subject(azure, folders, azure_base=base)), ExitStack() as opened:
        yield Scene(azure, base, opened)


def calls(scene: Scene) -> str:
    """Calls of every kind, one of them open beside the list."""
    numbers = [scene.play(label, fault) for label, fault in PLAYED]
    scene.play(ASKED, change=WRONG)
    scene.play("demo/streamed_chat #1", "stall; at_frame=14", is_held=True)
    return f"#/{numbers[TALK]}"


def stream(scene: Scene) -> str:
    """A chat window hangs: somebody has set a fault this morning."""
    for label, fault in PLAYED[:7]:
        scene.play(label, fault)
    scene.azure.fault = faults.parse("stall; at_frame=14")
    number = scene.play("demo/streamed_chat #1", is_held=True)
    return f"#/{number}/stream"


def miss(scene: Scene) -> str:
    """One letter too few."""
    for label, fault in PLAYED[:6]:
        scene.play(label, fault)
    return f"#/{scene.play(ASKED, change=WRONG)}/miss"


STORIES: dict[str, Any] = {"calls": calls, "stream": stream, "miss": miss}


def few_colours(png: bytes, path: Path) -> None:
    """A third of the bytes: the pictures are in the repository and in the wheel."""
    Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS).save(path, optimize=True)


def main() -> None:
    with chromium() as browser:
        for name, story in STORIES.items():
            with scene() as there:
                place = story(there)
                for scheme in ("light", "dark"):
                    tab = Tab(browser, there.base, WIDE, color_scheme=scheme, timezone_id="UTC", locale="en-GB")
                    tab.open(place)
                    tab.page.wait_for_timeout(1000 * SEEN_SECONDS)
                    path = FOLDER / f"page-{name}-{scheme}.png"
                    few_colours(tab.page.screenshot(), path)
                    tab.close()
                    size = path.stat().st_size
                    print(f"{path.relative_to(ROOT)}  {size:,} bytes")
                    if size > MOST_BYTES:
                        raise SystemExit(f"{path.name} has more than {MOST_BYTES:,} bytes")


if __name__ == "__main__":
    main()
