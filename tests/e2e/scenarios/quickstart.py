"""Quickstart.ipynb: the notebook itself, run cell by cell as it stands there."""

import asyncio
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emulator.synthetic import Scenario, calls, says

NOTEBOOK = Path(__file__).resolve().parents[3] / "Quickstart.ipynb"
NOT_INHERITED = ("OPENAI_", "AZURE_OPENAI_", "PROXY_", "FUNCTION_HOST_KEY", "MPLBACKEND")  # what is set for others
CELL_SECONDS = 60


def run(settings: Mapping[str, str], folder: Path, last: str | None = None) -> Any:
    """Run the notebook in a folder, up to the cell `last`, with these settings as its environment, and give it with its
    outputs. Its kernel is the interpreter that runs this, whatever kernels were installed for the user."""
    import nbformat
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    ids = [cell.id for cell in notebook.cells]
    notebook.cells = notebook.cells[: ids.index(last) + 1 if last else None]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
    own = {"DSPY_CACHEDIR": str(folder / "dspy_cache"), "IPYTHONDIR": str(folder / "ipython")}
    kernel = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
    client = NotebookClient(
        notebook,
        kernel,
        timeout=CELL_SECONDS,
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--log-level=ERROR"],
        coalesce_streams=True,
    )
    # cleanup_kc: else the kernel of a manager that was handed over lives on
    asyncio.run(client.async_execute(cleanup_kc=True, env=inherited | own | dict(settings)))
    return notebook


def play(base_url: str, function_key: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run({"PROXY_BASE_URL": base_url, "FUNCTION_HOST_KEY": function_key}, Path(folder))


def fields(**values: Any) -> str:
    """An answer in the form that DSPy's ChatAdapter asks for."""
    return "".join(f"[[ ## {name} ## ]]\n{value}\n\n" for name, value in values.items()) + "[[ ## completed ## ]]"


BREAD = "Yeast eats the sugar in the dough and breathes out gas, which the dough holds in small bubbles."
LETTER = (
    "A red van empties the letter box in the evening and takes the letter to the sorting centre. There a machine reads "
    "the address and sends it to one of two hundred trays. Before dawn a train carries the tray across the country. "
    "And at ten in the morning the letter drops through a door, onto a mat, in front of a curious cat."
)
EVENT = {"title": "Choir", "weekday": "Thursday", "time": "19:30", "things_to_bring": ["pencil", "water bottle"]}
LIBRARY = "No: the library is open from 9:00 to 20:00, so come before eight in the evening."
TIDE_TABLE = "It tells when the water at a place will be high and low, and how high and how low."
WHO = "Pilots, fishermen, and everybody who walks on the sands."
LOW_TIDE = "The sea has gone out. Boats lie on their sides in the mud. Birds walk where fish swam."
EXPLAINED = {
    "compass": "A compass is a needle that always shows you where north is.",
    "anchor": "An anchor is a heavy hook that keeps a boat where it is.",
    "lantern": "A lantern is a light that you can carry through the dark.",
    "map": "A map is a picture of a place, seen from high above.",
}
TRAMS = "From the first to the fourth there are three times 12 minutes."
PILOT = "A pilot knows the sandbanks and currents of the harbour, and steers strange ships past them."

SCENARIOS = [
    Scenario(
        "quickstart/notebook",
        "Every cell of Quickstart.ipynb.",
        [
            ("Why does bread rise", says(BREAD)),
            ("from letter box to door", says(LETTER)),
            ("Choir meets", says(json.dumps(EVENT))),
            ("return a book", calls(("opening_hours", {"place": "library"}))),
            ('"role":"tool"', says(LIBRARY)),
            ("What is a tide table for", says(TIDE_TABLE)),
            ("Who looks into it", says(WHO)),
            ("Describe low tide", says(LOW_TIDE)),
            *((f"in one sentence: {word}", says(text)) for word, text in EXPLAINED.items()),
            ("88 keys", says(fields(answer="The piano"))),
            ("Trams leave", says(fields(reasoning=TRAMS, minutes=36))),
            (
                "When is high water",
                says(
                    fields(
                        next_thought="I have a function for that.",
                        next_tool_name="high_water",
                        next_tool_args='{"harbour": "Brest"}',
                    )
                ),
            ),
            (
                "observation_0",
                says(fields(next_thought="Now I know it.", next_tool_name="finish", next_tool_args="{}")),
            ),
            ("observation_1", says(fields(reasoning="high_water says 16:05.", answer="At 16:05."))),
            ("have a pilot", says(fields(answer=PILOT))),
        ],
        play,
    )
]
