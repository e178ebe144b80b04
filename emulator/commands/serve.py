"""`serve`: the fake Azure and the proxy in front of it."""

import argparse
import json
import os

from ..stack import LocalStack
from ..usage import how_to_call
from . import answering
from .console import say, wait_for_ever

SUMMARY = "Run the fake Azure and the proxy until Ctrl-C."
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
    )
    answering.prepare(stack.azure, arguments)
    folders = [*map(str, answering.folders(arguments))]
    with stack:
        if arguments.json:
            say(json.dumps(stack.describe() | {"cassettes": folders}))
        else:
            models = stack.settings()["AZURE_OPENAI_DEPLOYMENT"]
            say(f"The proxy is at    {stack.base_url}\nIts function key   {stack.function_key}")
            say(f"The fake Azure     {stack.azure_base}\nModels             {models}")
            say(f"Cassettes          {', '.join(folders)}")
            if arguments.improvise:
                say(f"Improvised         {answering.IMPROVISED}")
            say(f"\n{how_to_call(stack)}\n\nCtrl-C stops it.")
        wait_for_ever()
