"""`azure`: the fake Azure alone."""

import argparse
import json
import os
from pathlib import Path
from typing import Any

from ..azure import FakeAzure
from ..azure.app import IDENTITY_PATH
from ..bundle import ROOT
from ..failure import UsageError
from ..option import warn_of_any_key
from ..page import command as page_command
from ..page.subject import Subject
from ..server import bind, serving, url_of, warn_if_open
from . import answering
from .console import say, wait_for_ever


def run(arguments: argparse.Namespace) -> None:
    fake = FakeAzure(answering.library(arguments), arguments.time_scale)
    answering.prepare(fake, arguments)
    fake.any_key = arguments.any_key
    folders = [*map(str, answering.folders(arguments))]
    sock = bind(arguments.port, arguments.host)
    warn_if_open(sock, f"the fake Azure. Everybody{'' if fake.any_key else ' who has its key'} can get the recordings")
    warn_of_any_key(fake.any_key)
    subject = Subject(fake, answering.folders(arguments), azure_base=url_of(sock))
    with serving(fake, sock) as base, page_command.beside(subject, sock, arguments) as control:
        described = {
            "azure_base": base,
            "api_key": fake.api_key,
            "identity_endpoint": base + IDENTITY_PATH,
            "identity_header": fake.identity.header,
            "pid": os.getpid(),
            "cassettes": folders,
            **control,
        }
        if arguments.improvise:
            described["models"] = answering.deployments(arguments, fake.library)
        if arguments.settings:
            write_local_settings(described, answering.deployments(arguments, fake.library))
        if arguments.json:
            say(json.dumps(described))
        else:
            shown = described | {"cassettes": ", ".join(folders)}
            shown |= {"improvised": answering.IMPROVISED} if arguments.improvise else {}
            say("\n".join(f"{name:18} {value}" for name, value in shown.items()) + "\n\nCtrl-C stops it.")
        wait_for_ever()


def write_local_settings(described: dict[str, Any], deployments: str) -> None:
    """Writes local.settings.json into the current folder: the example, with the fake Azure's addresses. Raises
    UsageError where the file exists."""
    path = Path("local.settings.json")
    if path.exists():
        raise UsageError(f"{path.name} exists already. Move it away first: --settings would overwrite it.")
    settings = json.loads((ROOT / "local.settings.json.example").read_text())
    settings["Values"] |= {
        "AZURE_OPENAI_BASE": described["azure_base"],
        "AZURE_OPENAI_DEPLOYMENT": deployments,
        "IDENTITY_ENDPOINT": described["identity_endpoint"],
        "IDENTITY_HEADER": described["identity_header"],
    }
    path.write_text(json.dumps(settings, indent=2) + "\n")
