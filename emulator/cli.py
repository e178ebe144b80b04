"""The verbs of the command line."""

import argparse
import gc
import io
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from . import deployment, host, option, transcript
from .azure import FakeAzure
from .azure.app import IDENTITY_PATH
from .azure.faults import FaultError
from .azure.limits import Limits
from .bundle import COMMAND, ROOT, folders_of
from .doctor import command as doctor_command
from .folder import add_cassettes, library_of, require, served
from .host import command
from .host.command import DEFAULT_PORT, add_host, warn_if_open
from .match.library import Library
from .option import UsageError
from .recording import command as recording_command
from .recording.live import LiveError
from .recording.recorder import RecordingRefused
from .server import PortError, bind, serving
from .stack import HostFailed, LocalStack
from .tape.cassette import CassetteError
from .usage import how_to_call

FROM_ENVIRONMENT = ("AZURE_OPENAI_DEPLOYMENT", "AZURE_OPENAI_API_VERSION")
EXTRA = "To install what is missing: pip install 'azure-openai-emulator[{}]'"
WRONG_USAGE = (UsageError, FaultError, LiveError, RecordingRefused, CassetteError)


def main(argv: list[str] | None = None) -> int:
    """0: done or stopped, 1: failed, 2: wrong usage. Errors are one line on standard error."""
    for stream in (sys.stdout, sys.stderr):  # what a terminal cannot show is spelled
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    for stop in (signal.SIGINT, signal.SIGTERM):  # a shell starts background jobs with SIGINT ignored
        signal.signal(stop, signal.default_int_handler)
    arguments = parser().parse_args(argv)
    try:
        return int(arguments.verb(arguments) or 0)
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:  # as in `show NAME | head`; what is left goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except HostFailed:
        return 1
    except (*WRONG_USAGE, PortError, host.AppError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, WRONG_USAGE) else 1


def parser() -> argparse.ArgumentParser:
    root = option.Parser(prog=COMMAND, description=__doc__)
    verbs = root.add_subparsers(required=True, metavar="VERB")

    def verb(name: str, run: Callable[[argparse.Namespace], Any], summary: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=summary, description=summary)
        added.set_defaults(verb=run)
        return added

    def common(added: argparse.ArgumentParser, port: int) -> None:
        added.add_argument("--port", type=int, default=port, help=f"0 for a free one (default: {port})")
        add_host(added)
        added.add_argument("--json", action="store_true", help="print one JSON object, then nothing else")

    def replaying(added: argparse.ArgumentParser) -> None:
        add_cassettes(added)
        added.add_argument(
            "--time-scale",
            type=option.time_scale,
            default=1.0,
            help="times faster than recorded; 0: at once (default: 1)",
        )

    def failing(added: argparse.ArgumentParser) -> None:
        added.add_argument(
            "--fault", metavar="WISH", help="what goes wrong with every answer, as in 'reset; at_frame=3; times=1'"
        )

        for what in ("requests", "tokens"):
            added.add_argument(
                f"--{what}-per-minute",
                type=option.count,
                metavar="N",
                help="a rate limit for each deployment; see --time-scale",
            )

    added = verb("demo", demo, "Show real traffic through the whole chain, then keep it running.")
    added.add_argument("--once", action="store_true", help="end after the steps (default without a terminal)")
    add_host(added)
    added = verb("serve", serve, "Run the fake Azure and the proxy until Ctrl-C.")
    common(added, DEFAULT_PORT)
    replaying(added)
    failing(added)
    added = verb("azure", azure, "Run the fake Azure alone, for `func start` or any Azure OpenAI client.")
    common(added, 0)
    replaying(added)
    failing(added)
    added.add_argument("--settings", action="store_true", help="write local.settings.json for `func start`")
    added = verb("record", record, recording_command.SUMMARY)
    common(added, DEFAULT_PORT)
    add_cassettes(added, otherwise="./cassettes, which is made")
    recording_command.add_arguments(added)
    added = verb("show", show, "Print cassettes as transcripts: what was asked, what was answered.")
    added.add_argument("names", nargs="+", metavar="CASSETTE", help="a name, as in chat/story, or a file")
    add_cassettes(added)
    added = verb("check", check, "Look for defects in cassettes: 0 nothing wrong, 1 errors found, 2 wrong usage.")
    add_cassettes(added, otherwise="none")
    added.add_argument(
        "--recordings", type=Path, metavar="DIR", help="real ones, to compare synthetic ones with ($AZURE_RECORDINGS)"
    )
    added.add_argument("--specs", type=Path, metavar="DIR", help="Azure's OpenAPI descriptions ($AZURE_SPECS)")
    added.add_argument("--audit", action="store_true", help="change every request, and see that the change is noticed")
    added.add_argument("--played", type=Path, metavar="FILE", help="what `pytest --emulator-played=FILE` wrote")
    added.add_argument("--json", action="store_true", help="print one JSON object")
    added = verb("doctor", doctor, "Examine a deployed proxy from the outside: 0 well, 1 a problem, 2 wrong usage.")
    doctor_command.add_arguments(added)
    added = verb("host", command.host, command.SUMMARY)
    command.add_arguments(added)
    return root


def demo(arguments: argparse.Namespace) -> int:
    if not all(map(find_spec, ("openai", "dspy"))):
        raise UsageError("The demo needs the OpenAI SDK and DSPy: pip install openai dspy")
    from .demo import run  # imports the SDK and DSPy, which the other verbs do without

    return run(arguments.once or not sys.stdin.isatty(), arguments.host)


def serve(arguments: argparse.Namespace) -> None:
    settings = {name: value for name in FROM_ENVIRONMENT if (value := os.environ.get(name, "").strip(" ,"))}
    folders = served(arguments.cassettes)
    stack = LocalStack(
        library=library_of(folders),
        settings=settings,
        function_key=os.environ.get("FUNCTION_HOST_KEY"),
        port=arguments.port,
        host=arguments.host,
        time_scale=arguments.time_scale,
    )
    fail(stack.azure, arguments)
    with stack:
        if arguments.json:
            say(json.dumps(stack.describe() | {"cassettes": [*map(str, folders)]}))
        else:
            models = stack.settings()["AZURE_OPENAI_DEPLOYMENT"]
            say(f"The proxy is at    {stack.base_url}\nIts function key   {stack.function_key}")
            say(f"The fake Azure     {stack.azure_base}\nModels             {models}")
            say(f"Cassettes          {', '.join(map(str, folders))}")
            say(f"\n{how_to_call(stack)}\n\nCtrl-C stops it.")
        wait_for_ever()


def record(arguments: argparse.Namespace) -> int:
    require(arguments.cassettes or ())
    arguments.cassettes = arguments.cassettes or folders_of(Path())
    try:
        return recording_command.record(arguments)
    except LookupError as error:
        raise UsageError(str(error)) from error
    except ImportError as missing:
        raise UsageError(f"{missing}. {EXTRA.format('record')}") from missing


def show(arguments: argparse.Namespace) -> None:
    try:
        tapes = [transcript.find(served(arguments.cassettes), name) for name in arguments.names]
    except LookupError as error:
        raise UsageError(str(error)) from error
    say("\n".join(map(transcript.transcript, tapes)).rstrip())


def azure(arguments: argparse.Namespace) -> None:
    folders = served(arguments.cassettes)
    fake = FakeAzure(library_of(folders), arguments.time_scale)
    fail(fake, arguments)
    sock = bind(arguments.port, arguments.host)
    warn_if_open(sock, "the fake Azure. Everybody with its key gets the recordings")
    with serving(fake, sock) as base:
        described = {
            "azure_base": base,
            "api_key": fake.api_key,
            "identity_endpoint": base + IDENTITY_PATH,
            "identity_header": fake.identity.header,
            "pid": os.getpid(),
            "cassettes": [*map(str, folders)],
        }
        if arguments.settings:
            write_local_settings(described, fake.library)
        if arguments.json:
            say(json.dumps(described))
        else:
            shown = described | {"cassettes": ", ".join(map(str, folders))}
            say("\n".join(f"{name:18} {value}" for name, value in shown.items()) + "\n\nCtrl-C stops it.")
        wait_for_ever()


def fail(fake: FakeAzure, arguments: argparse.Namespace) -> None:
    """What was asked to go wrong. Raises FaultError."""
    if arguments.fault:
        fake.misbehave(arguments.fault)
    if arguments.requests_per_minute or arguments.tokens_per_minute:
        fake.limits = Limits(arguments.requests_per_minute, arguments.tokens_per_minute, arguments.time_scale)


def write_local_settings(described: dict[str, Any], library: Library) -> None:
    """local.settings.json in the current folder, from its example, pointed at the fake Azure. An existing file is not
    touched."""
    path = Path("local.settings.json")
    if path.exists():
        raise UsageError(f"{path.name} exists; move it away first, so that nothing in it is lost.")
    settings = json.loads((ROOT / "local.settings.json.example").read_text())
    settings["Values"] |= {
        "AZURE_OPENAI_BASE": described["azure_base"],
        "AZURE_OPENAI_DEPLOYMENT": ",".join(deployment.served(library)),
        "IDENTITY_ENDPOINT": described["identity_endpoint"],
        "IDENTITY_HEADER": described["identity_header"],
    }
    path.write_text(json.dumps(settings, indent=2) + "\n")


def check(arguments: argparse.Namespace) -> int:
    try:
        from . import lint  # imports the SDK, which the other verbs do without
    except ImportError as missing:
        raise UsageError(f"{missing}. check reads the OpenAI SDK's types. {EXTRA.format('check')}") from missing
    folders = arguments.cassettes or folders_of(Path())
    given = (*folders, *filter(None, (arguments.recordings, arguments.specs)))
    require(given)
    if arguments.played and not arguments.played.is_file():
        raise UsageError(f"{arguments.played} is no file. `pytest --emulator-played={arguments.played}` writes it.")
    tapes = lint.read(folders)
    if not tapes.files:
        raise UsageError(f"There are no cassettes below {', '.join(map(str, folders))}.")
    context = lint.context_of(arguments.recordings, arguments.specs, arguments.played)
    found = lint.findings(tapes, context, arguments.audit)
    say(json.dumps(lint.described(tapes, found)) if arguments.json else lint.text(tapes, found))
    return int(any(finding.severity == "error" for finding in found))


def doctor(arguments: argparse.Namespace) -> int:
    try:
        return doctor_command.run(arguments, say)
    except ValueError as error:
        raise UsageError(str(error)) from error


def say(text: str) -> None:
    print(text, flush=True)


def wait_for_ever() -> None:
    gc.freeze()  # all is loaded by now: to collect it again and again would stop every answer for 100 ms a time
    gc.set_threshold(20_000, 50, 100)
    threading.Event().wait()
