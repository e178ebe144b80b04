"""`serve`: the fake Azure and the proxy in front of it."""

import argparse
import json
import os

from ..page import command as page_command
from ..page.subject import Subject
from ..stack import LocalStack
from ..usage import how_to_call
from . import answering
from .console import say, wait_for_ever
from .starting import starting_host

CONTROL_NAMES = {"page": "Look at it at", "control_url": "The control API", "control_token": "Its token"}
FROM_ENVIRONMENT = ("AZURE_OPENAI_DEPLOYMENT", "AZURE_OPENAI_API_VERSION")


def run(arguments: argparse.Namespace) -> None:
    settings = {name: value for name in FROM_ENVIRONMENT if (value := os.environ.get(name, "").strip(" ,"))}
    library = answering.library(arguments)
    if arguments.improvise:
        settings["AZURE_OPENAI_DEPLOYMENT"] = answering.deployments(arguments, library)
    stack = LocalStack(
        library=library,
        settings=settings,
        function_key=os.environ.get("FUNCTION_HOST_KEY"),
        port=arguments.port,
        host=arguments.host,
        time_scale=arguments.time_scale,
        any_key=arguments.any_key,
        notes_stopped=not arguments.no_page,
    )
    answering.prepare(stack.azure, arguments)
    folders = answering.folders(arguments)
    shown = ", ".join(map(str, folders))
    page = page_command.bound(arguments)
    with (
        page,
        starting_host(),
        stack,
        page_command.listening(Subject.of(stack, folders), page, arguments) as control,
    ):
        if arguments.json:
            say(json.dumps(stack.describe() | {"cassettes": [*map(str, folders)]} | control))
        else:
            models = stack.settings()["AZURE_OPENAI_DEPLOYMENT"]
            say(f"The proxy is at    {stack.base_url}\nIts function key   {stack.function_key}")
            say(f"The fake Azure     {stack.azure_base}\nModels             {models}")
            say("\n".join(f"{CONTROL_NAMES[name]:18} {value}" for name, value in control.items()))
            say(f"Cassettes          {shown}")
            if arguments.improvise:
                say(f"Improvised         {answering.IMPROVISED}")
            say(f"\n{how_to_call(stack)}\n\nCtrl-C stops it.")
        if arguments.open:
            page_command.open_page(control)
        wait_for_ever()
