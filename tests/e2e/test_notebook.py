"""Quickstart.ipynb runs unchanged, its cells show what their texts promise, and it holds no secret."""

import base64
import itertools
import json
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
for needed in ("dspy", "matplotlib"):  # the notebook's own process imports them
    if not find_spec(needed):
        pytest.skip(f"the notebook needs {needed}", allow_module_level=True)

from emulator.azure.journal import Exchange  # noqa: E402
from emulator.stack import CASSETTES, LocalStack  # noqa: E402
from emulator.tape import cassette  # noqa: E402
from tests.e2e.scenarios import quickstart  # noqa: E402

COMMITTED = json.loads(quickstart.NOTEBOOK.read_text(encoding="utf-8"))
TEXT = "\n".join("".join(cell["source"]) for cell in COMMITTED["cells"])

CHOIR = "title='Choir', weekday='Thursday', time='19:30', things_to_bring=['pencil', 'water bottle']"
SHOWN = {  # the id of a cell: a regular expression for its output or result
    "set-up": r"host +127\.0\.0\.1\nkey +\d+ characters$",
    "models": r"^gpt-4o-mini\n(?s:.*)\n\nThis notebook uses gpt-4o-mini\.$",
    "chat": rf"^{re.escape(quickstart.BREAD)}\n\n\d+ tokens in \+ \d+ out = \d+$",
    "streaming": rf"^{re.escape(quickstart.LETTER)}\n\n\d\d chunks in [\d.]+ s\. First after [\d.]+ s\.$",
    "structured": rf"^Event\({re.escape(CHOIR)}\)$",
    "tools": rf'^opening_hours\({{"place":"library"}}\) -> 9:00 to 20:00\n{re.escape(quickstart.LIBRARY)}$',
    "responses": f"^{re.escape(quickstart.TIDE_TABLE)}$",
    "responses-follow-up": f"^{re.escape(quickstart.WHO)}$",
    "responses-stream": rf"^{re.escape(quickstart.LOW_TIDE)}\n(?s:.*)\b1 response\.completed$",
    "async": "".join(rf"{word} +\d+\.\d\d s  {re.escape(text)}\n" for word, text in quickstart.EXPLAINED.items()),
    "dspy": "^The piano$",
    "dspy-thought": f"^{re.escape(quickstart.TRAMS)}\n36 minutes, and 46 with the way home$",
    "dspy-agent": r"observation_0 +16:05\n(?s:.*)\nAt 16:05\.$",
    "dspy-stream": f"^{re.escape(quickstart.PILOT)}$",
    "error-key": r"AuthenticationError: status 401, body ''\nAn empty 401 means: .* missing or wrong\.",
    "error-model": r"NotFoundError: status 404, code model_not_found\n.*does not serve .* It serves: gpt-4o-mini, ",
}


@dataclass(frozen=True)
class Run:
    """A run of the whole notebook: its cells by id, and the requests at the fake Azure."""

    cells: dict[str, Any]
    exchanges: list[Exchange]
    key: str


@pytest.fixture(scope="module")
def run(aoai_emulator_server: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Run:
    azure, key = aoai_emulator_server.azure, aoai_emulator_server.function_key
    settings = {"PROXY_BASE_URL": aoai_emulator_server.base_url, "FUNCTION_HOST_KEY": key}
    azure.reset()
    azure.time_scale = 2.0  # twice as fast as recorded: without any delay there is nothing to plot
    try:
        notebook = quickstart.run(settings, tmp_path_factory.mktemp("notebook"))
    finally:
        azure.time_scale = 0.0
    return Run({cell.id: cell for cell in notebook.cells}, azure.journal.exchanges, key)


def shown(cell: Any) -> str:
    """A cell's output and its result."""
    parts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    return "".join(parts).rstrip("\n")


@pytest.mark.parametrize("cell", SHOWN)
def test_a_cell_shows_what_its_text_promises(cell: str, run: Run) -> None:
    assert re.search(SHOWN[cell], shown(run.cells[cell]))


def test_every_cell_shows_something_but_the_one_that_installs(run: Run) -> None:
    code = {name: cell for name, cell in run.cells.items() if cell.cell_type == "code"}
    assert [name for name, cell in code.items() if not cell.outputs] == ["install"]
    assert set(code) == {*SHOWN, "install", "plot"}
    assert not [name for name, cell in code.items() for output in cell.outputs if output.get("name") == "stderr"]


def test_the_plot_is_an_image_of_a_stream(run: Run) -> None:
    (plot,) = run.cells["plot"].outputs
    assert base64.b64decode(plot.data["image/png"]).startswith(b"\x89PNG\r\n")
    last, first = re.findall(r"(?:in|after) ([\d.]+) s\.", shown(run.cells["streaming"]))
    assert float(last) - float(first) > 0.5, "the chunks came all at once"


def test_the_key_is_nowhere_in_the_outputs(run: Run) -> None:
    assert run.key not in json.dumps(list(run.cells.values()))
    assert f"{len(run.key)} characters" in shown(run.cells["set-up"])


def test_it_asks_what_was_recorded_for_it_and_nothing_else(run: Run) -> None:
    assert [exchange.miss for exchange in run.exchanges if exchange.miss] == []
    count = len(cassette.load(CASSETTES / "quickstart/notebook.yaml").interactions)
    asked = sorted(str(exchange.recording) for exchange in run.exchanges)
    assert asked == sorted(f"quickstart/notebook #{number}" for number in range(1, count + 1))


def test_settings_come_from_the_environment_and_then_from_a_file(
    proxy_base_url: str, function_key: str, tmp_path: Path
) -> None:
    lines = [f"PROXY_BASE_URL={proxy_base_url}/", "FUNCTION_HOST_KEY=not-the-key", "PROXY_MODEL=gpt-5-mini"]
    (tmp_path / ".env").write_text("\n".join(lines), encoding="utf-8")
    notebook = quickstart.run({"FUNCTION_HOST_KEY": function_key}, tmp_path, last="models")
    assert shown(notebook.cells[-1]).endswith("This notebook uses gpt-5-mini.")


@pytest.mark.parametrize(
    ("settings", "asks"), [({}, "raw_input"), ({"PROXY_BASE_URL": "https://proxy.example/api/v1"}, "getpass")]
)
def test_what_is_not_set_is_asked_for(settings: dict[str, str], asks: str, tmp_path: Path) -> None:
    with pytest.raises(nbclient.exceptions.CellExecutionError) as caught:
        quickstart.run(settings, tmp_path, last="set-up")
    assert caught.value.ename == "StdinNotImplementedError"
    assert asks in caught.value.evalue


def test_a_base_url_without_api_v1_is_refused_and_not_repeated(tmp_path: Path) -> None:
    settings = {"PROXY_BASE_URL": "https://proxy.example/api?code=secret", "FUNCTION_HOST_KEY": "12345"}
    with pytest.raises(nbclient.exceptions.CellExecutionError, match=r"ends in /api/v1") as caught:
        quickstart.run(settings, tmp_path, last="set-up")
    assert "secret" not in str(caught.value)


def test_it_is_committed_as_if_it_had_never_run() -> None:
    code = [cell for cell in COMMITTED["cells"] if cell["cell_type"] == "code"]
    assert [(cell["outputs"], cell["execution_count"]) for cell in code] == [([], None)] * len(code)
    assert [cell["id"] for cell in code if cell["metadata"]] == ["install"]
    assert COMMITTED["metadata"]["kernelspec"]["name"] == "python3"
    nbformat.validate(COMMITTED)


def test_no_secret_and_no_foreign_address_is_in_it() -> None:
    assert not re.findall(r"sk-\w{8,}|[0-9a-f]{32}|[\w+/-]{40,}", TEXT)
    hosts = {urlsplit(url).hostname for url in re.findall(r"https?://[^\s)`]+", TEXT)}
    assert hosts == {"<app>.azurewebsites.net", "dspy.ai"}


def test_every_code_cell_has_its_words_before_it() -> None:
    kinds = [cell["cell_type"] for cell in COMMITTED["cells"]]
    assert all(before == "markdown" for before, kind in itertools.pairwise(kinds) if kind == "code")


def test_its_links_to_itself_lead_somewhere() -> None:
    headings = re.findall(r"^##? (.+)$", TEXT, re.MULTILINE)
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= {heading.replace(" ", "-") for heading in headings}
