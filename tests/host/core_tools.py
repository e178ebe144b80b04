"""Makes a folder ready for `func start --enableAuth`, with the keys that the tests use.

    python -m tests.host.core_tools APP FOLDER

APP is a folder with a function app, or `.` for this project's; FOLDER is made. Start it with

    cd FOLDER && TMPDIR=$PWD/tmp AzureWebJobsSecretStorageType=files func start --enableAuth

Core Tools keep keys below the temporary folder (their source: SelfHostWebHostSettingsFactory), in a file like the
host's own (azure-functions-host #4147).
"""

import json
import shutil
import sys
from pathlib import Path

from tests.host.run_app import KEYS

KEY_FILE = "tmp/secrets/functions/secrets/host.json"
SETTINGS = {"FUNCTIONS_WORKER_RUNTIME": "python", "PYTHON_ENABLE_INIT_INDEXING": "1", "AzureWebJobsStorage": ""}
OF_AN_APP = ("function_app.py", "host.json", "proxy", "local.settings.json")


def key(name: str, value: str) -> dict[str, object]:
    return {"name": name, "value": value, "encrypted": False}


def main(app: str, out: str) -> None:
    folder, source = Path(out), Path(app)
    folder.mkdir(parents=True)
    for name in OF_AN_APP:
        if (source / name).is_dir():
            shutil.copytree(source / name, folder / name)
        elif (source / name).is_file():
            shutil.copy(source / name, folder)
    settings = folder / "local.settings.json"
    if not settings.exists():
        settings.write_text(json.dumps({"IsEncrypted": False, "Values": SETTINGS}))
    keys = {
        "masterKey": key("master", KEYS["_master"]),
        "functionKeys": [key(name, value) for name, value in KEYS.items() if name in ("default", "named")],
        "systemKeys": [],
    }
    file = folder / KEY_FILE
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(keys))


if __name__ == "__main__":
    main(*sys.argv[1:])
