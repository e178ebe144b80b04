"""Exports a call as a curl command, a program, JSON or a cassette. None of them holds a credential."""

import shlex
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ..azure.journal import Exchange
from ..azure.question import question_of
from ..scrub.scrub import Known, SecretFound, scrubbed
from ..scrub.secret import PLACEHOLDER
from ..synthetic.stubs import Stub, Stubs
from ..tape import cassette
from ..tape.canonical import parse_body
from ..tape.form import is_form
from ..tape.interaction import Interaction, Request
from ..tape.route import Route, parse
from . import call
from .answer import Answer, answer_of, attachment, text
from .asked import Asked
from .calls import find
from .hidden import target_kept
from .refusal import Refusal
from .subject import Subject

KEY = "AZURE_OPENAI_API_KEY"
FILL_IN = "ANSWER"  # one word: a stream brings it in one frame
SENT_HEADERS = ("content-type", "accept")
SHORTEST_FILE_BYTES = 32 * 2**10  # a body from this size on goes into a file
METHODS = {  # the OpenAI SDK's methods, and the arguments that every release has; extra_body carries the others
    "chat/completions": ("chat.completions.create", ("model", "messages", "stream")),
    "responses": ("responses.create", ("model", "input", "stream")),
    "embeddings": ("embeddings.create", ("model", "input", "encoding_format")),
}


def read(subject: Subject, asked: Asked) -> Answer:
    exchange, form = find(subject, asked), asked.choice("as", tuple(FORMS), "curl")
    if exchange.dropped:
        raise Refusal(404, "body_dropped", f"The journal no longer keeps the body of call {exchange.number}.")
    return FORMS[form](subject, exchange)


def as_curl(subject: Subject, exchange: Exchange) -> Answer:
    request = Request(exchange.method, exchange.target, exchange.headers, exchange.body)
    return text(curl(subject, request, f"GET /_emulator/calls/{exchange.number}/request"))


def curl(subject: Subject, request: Request, whole: str) -> str:
    """A command that repeats the call. AZURE_OPENAI_BASE says whether it goes to the fake Azure or to a real one.
    `whole` names the place of a body that is too long for a command line."""
    method, target = shlex.quote(request.method), shlex.quote(target_kept(request.uri))
    lines = [f'curl -sS -g -X {method} "$AZURE_OPENAI_BASE"{target}', f'-H "api-key: ${KEY}"']
    lines += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in request.headers if name in SENT_HEADERS]
    before, after = _settings(subject), "\n"
    if (body := _for_a_shell(request.body)) is None:
        before += f"# request.bin is {whole}\n"
        lines.append("--data-binary @request.bin")
    elif body:
        end = _end_of(body)
        lines.append(f"--data-binary @- <<'{end}'")
        after = f"\n{body}{end}\n"
    return before + " \\\n     ".join(lines) + after


def as_python(subject: Subject, exchange: Exchange) -> Answer:
    route, body = parse(exchange.target), parse_body(exchange.body)
    if (
        route is None
        or route.operation not in METHODS
        or exchange.method != "POST"
        or not isinstance(body, dict)
        or is_form(body)
    ):
        raise Refusal(409, "no_such_form", "The OpenAI SDK has no method for this call; take as=curl.", "as")
    method, names = METHODS[route.operation]
    given = ({"model": route.deployment} if route.deployment else {}) | body
    arguments = {name: given.pop(name) for name in names if name in given} | ({"extra_body": given} if given else {})
    told = "".join(f"    {name}={value!r},\n" for name, value in arguments.items())
    made = f"answer = client.{method}(\n{told})\n"
    shown = "for event in answer:\n    print(event)\n" if arguments.get("stream") else "print(answer)\n"
    return text(f"{_settings(subject)}{_client(route)}\n{made}{shown}")


def _client(route: Route) -> str:
    """The line that makes the client: OpenAI for the v1 API, AzureOpenAI for a dated one."""
    if route.generation == "v1":
        named, rest = "OpenAI", 'base_url=os.environ["AZURE_OPENAI_BASE"] + "/openai/v1"'
    else:
        named = "AzureOpenAI"
        rest = f'azure_endpoint=os.environ["AZURE_OPENAI_BASE"], api_version={route.api_version!r}'
    return f'import os\n\nfrom openai import {named}\n\nclient = {named}({rest}, api_key=os.environ["{KEY}"])\n'


def as_json(subject: Subject, exchange: Exchange) -> Answer:
    return answer_of(call.detail(exchange, subject.azure.journal))


def as_cassette(subject: Subject, exchange: Exchange) -> Answer:
    """The cassette that the recorder would have written. Raises Refusal where it would hold a secret."""
    if exchange.ended_at is None or exchange.miss is not None or not exchange.sent_headers:
        raise Refusal(409, "nothing_to_keep", f"Call {exchange.number} has no answer to play.", "as")
    return _cassette(subject, exchange, call.as_interaction(exchange), exchange.origin or "emulator")


def as_draft(subject: Subject, exchange: Exchange) -> Answer:
    """A cassette with this request, and an answer to fill in. Raises Refusal where that holds a secret."""
    stubs = Stubs(subject.models)
    stubs.declared.append(Stub.from_json({"then": {"answers": FILL_IN}}))
    made = stubs(exchange, question_of(exchange.method, exchange.target, exchange.body))
    if made is None:
        raise Refusal(409, "no_such_form", "Only answers to chat and to Responses can be written by hand.", "as")
    return _cassette(subject, exchange, replace(call.as_interaction(exchange), response=made.response), "synthetic")


def _cassette(subject: Subject, exchange: Exchange, taken: Interaction, origin: str) -> Answer:
    request = replace(taken.request, uri=PLACEHOLDER + target_kept(exchange.target))
    known = Known("", (subject.azure.api_key, subject.azure.identity.header))
    try:
        clean = scrubbed(replace(taken, request=request), known)
    except SecretFound as found:
        raise Refusal(409, "secret_found", str(found), "as") from found
    with tempfile.TemporaryDirectory(prefix="aoai-export-") as folder:
        path = Path(folder, "call.yaml")
        cassette.save(path, [clean], {"origin": origin})
        return attachment(path.read_bytes(), f"call-{exchange.number}.yaml")


FORMS: dict[str, Callable[[Subject, Exchange], Answer]] = {
    "curl": as_curl,
    "python": as_python,
    "json": as_json,
    "cassette": as_cassette,
    "draft": as_draft,
}


def _settings(subject: Subject) -> str:
    return f"# AZURE_OPENAI_BASE is {subject.azure_base or 'the resource'}, {KEY} its key.\n"


def _for_a_shell(body: bytes) -> str | None:
    """The body in whole lines, as a here-document holds it; None where the shell would change it."""
    if len(body) >= SHORTEST_FILE_BYTES or b"\0" in body or b"\r" in body:
        return None
    if body and not body.endswith(b"\n"):
        if parse_body(body) is body:  # not JSON, so an added line end would change its meaning
            return None
        body += b"\n"
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def _end_of(body: str) -> str:
    """A word that ends the here-document, because no line of the body equals it."""
    word = "END"
    while word in body.splitlines():
        word += "_"
    return word
