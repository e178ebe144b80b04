"""Azurite's tables in a process of their own: `npm install --prefix .node azurite@3.35.0`, or AZURITE_NODE_MODULES.

The client of azure-data-tables sends no token over http, so the tests use Azurite's published account key. No app
setting takes an account key. These tests therefore leave out what Azure does with a token: whether the role is granted,
and the scope (https://storage.azure.com/.default), which the client itself names.
"""

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from azure.data.tables import TableClient
from azure.data.tables.aio import TableClient as AsyncTableClient

from emulator.stack import ROOT
from proxy.usage_table import OPTIONS

VERSION = "3.35.0"  # the last that runs on Node 20
NODE_MODULES = Path(os.environ.get("AZURITE_NODE_MODULES", ROOT / ".node/node_modules"))
SCRIPT = NODE_MODULES / "azurite/dist/src/table/main.js"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="  # published by Azurite
ARGUMENTS = ("--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck", "--silent")
TABLE = "usage"


@dataclass
class Azurite:
    process: "subprocess.Popen[str]"
    connection_string: str


@contextmanager
def azurite() -> Iterator[Azurite]:
    """Azurite with an empty table. Skips the test where Azurite is not installed."""
    if not SCRIPT.is_file() or not shutil.which("node"):
        pytest.skip(f"not here: npm install --prefix .node azurite@{VERSION}, and Node 20")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["node", str(SCRIPT), "--tablePort", str(port), *ARGUMENTS]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        lines = iter(process.stdout.readline, "")
        assert any("successfully" in line for line in lines), "Azurite did not start"
        endpoint = f"TableEndpoint=http://127.0.0.1:{port}/devstoreaccount1"
        told = f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={KEY};{endpoint};"
        with TableClient.from_connection_string(told, TABLE) as client:
            client.create_table()
        yield Azurite(process, told)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def connector(connection_string: str, table: str = TABLE) -> Callable[[], AsyncTableClient]:
    """The connector that a UsageTable takes."""
    return lambda: AsyncTableClient.from_connection_string(connection_string, table, **OPTIONS)
