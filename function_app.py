"""Azure OpenAI Proxy: an OpenAI-compatible API for a class or a lab, as one Azure Function.

    OpenAI SDK, DSPy, curl ── x-functions-key ──▶ this function ── managed identity ──▶ Azure OpenAI

Forwarded  The body byte for byte (only a `model` that must become a deployment name is rewritten), the raw query
           string, and the REQUEST_HEADERS. Back come Azure's status, headers and bytes; a stream frame by frame.
Dropped    On the way up: authorization, api-key, x-functions-key, cookies and every other header that is not listed;
           QUERY_DROPPED. On the way back: hop-by-hop headers (RFC 9110 section 7.6.1) and RESPONSE_HEADERS_DROPPED.
Replaced   Azure's 401 and 403 are about this function's identity, not the caller's key: they become a 502 that says so.
Retried    Nothing. The SDKs and DSPy retry on their own, and retries multiply.
Logged     One record per call: route, model, status, times, bytes. Never a body, a key or a query string.
"""

import asyncio
import functools
import importlib
import json
import logging
import os
import re
import threading
import time
import uuid
from collections.abc import AsyncIterator, Coroutine, Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar
from urllib.parse import unquote_plus, urlsplit

import aiohttp
import azure.functions as func
import httpx
from aiohttp.client_proto import ResponseHandler
from azurefunctions.extensions.http.fastapi import Request, Response, StreamingResponse
from httpx_aiohttp import AiohttpTransport
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send
from yarl import URL

T = TypeVar("T")
log = logging.getLogger("azure_openai_proxy")
logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs whole URLs, and a query may be private

# --- settings ---------------------------------------------------------------------------------------------------------

CONNECT_SECONDS = 10.0  # TCP and TLS; Azure answers in milliseconds or not at all
POOL_SECONDS = 15.0  # a free connection, connecting included (aiohttp counts both)
READ_SECONDS = 225.0  # between two bytes; Azure's load balancer cuts a silent connection at 230 s without a word
KEEPALIVE_SECONDS = 4.0  # below common servers' idle limits (5 s and up): no POST may meet a connection being closed
MAX_CONNECTIONS = 4_096  # far above what one instance serves; the host's own concurrency limit comes first
MAX_BODY_BYTES = 100_000_000  # just below the Functions host's own 104,857,600, whose 413 says nothing
REFRESH_AHEAD_SECONDS = 300.0  # azure-identity renews a managed identity's token in its last five minutes
REFRESH_PAUSE_SECONDS = 30.0  # between two attempts to renew a token that is still good
EXPIRY_MARGIN_SECONDS = 5.0  # a token must outlive its trip to Azure
RESPONSES_SINCE = "2025-03-01"  # the first dated api-version with a Responses API; older ones answer 400
DEFAULT_SCOPE = "https://cognitiveservices.azure.com/.default"


@dataclass(frozen=True)
class Settings:
    """The app settings. `deployments` maps model name to deployment, the default first; `dated` is the dated
    api-version, "" for the v1 API; `problems` has one sentence for every setting that cannot be used."""

    base: str
    deployments: Mapping[str, str]
    dated: str
    preview: bool
    scope: str
    client_id: str | None
    problems: tuple[str, ...]

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        base = env.get("AZURE_OPENAI_BASE", "").strip().rstrip("/")
        listed = [item.partition("=") for item in env.get("AZURE_OPENAI_DEPLOYMENT", "").split(",") if item.strip()]
        pairs = [(model.strip(), (deployment or model).strip()) for model, _, deployment in listed]
        version = env.get("AZURE_OPENAI_API_VERSION", "").strip().lower()
        scope = env.get("AZURE_OPENAI_SCOPE", "").strip() or DEFAULT_SCOPE
        named = all(model and re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", deployment) for model, deployment in pairs)
        checks = {
            "AZURE_OPENAI_BASE must be like https://my-resource.openai.azure.com, without /openai, query or user "
            "(http only on loopback)": is_azure_base(base),
            "AZURE_OPENAI_DEPLOYMENT must be a deployment name, or a list like gpt-4o-mini,gpt-4o=my-4o-deployment "
            "with each model once": bool(pairs) and named and len(dict(pairs)) == len(pairs),
            "AZURE_OPENAI_API_VERSION must be v1, preview, or a date like 2024-10-21 or 2025-04-01-preview": bool(
                re.fullmatch(r"|v1|preview|\d{4}-\d{2}-\d{2}(-preview)?", version)
            ),
            f"AZURE_OPENAI_SCOPE must be like {DEFAULT_SCOPE}": bool(re.fullmatch(r"\w+://\S+/\.default", scope)),
        }
        return cls(
            base,
            dict(pairs),
            dated=version if version[:1].isdigit() else "",
            preview=version == "preview",
            scope=scope,
            client_id=env.get("AZURE_CLIENT_ID", "").strip() or None,
            problems=tuple(problem for problem, fine in checks.items() if not fine),
        )


def is_azure_base(base: str) -> bool:
    try:
        url = urlsplit(base)
        secure = url.scheme == "https" or (url.scheme == "http" and url.hostname in ("localhost", "127.0.0.1", "::1"))
        plain = re.fullmatch(r"[!-~]+", base) and not re.search(r"[?#@\\]|/openai(/|$)", base)
        return bool(secure and url.hostname and plain and url.port != 0)
    except ValueError:  # a port that is no number, half an IPv6 address
        return False


settings = Settings.from_env(os.environ)

# --- routes -----------------------------------------------------------------------------------------------------------

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)

FORWARDED = {  # function name: (methods, route below /api/v1, which is also the path below Azure's /openai)
    "chat_completions": (["POST"], "chat/completions"),
    "embeddings": (["POST"], "embeddings"),
    "responses": (["POST"], "responses"),
    "responses_input_tokens": (["POST"], "responses/input_tokens"),
    "responses_compact": (["POST"], "responses/compact"),
    "response": (["GET", "DELETE"], "responses/{response_id}"),
    "response_cancel": (["POST"], "responses/{response_id}/cancel"),
    "response_input_items": (["GET"], "responses/{response_id}/input_items"),
}
IN_DEPLOYMENT = ("chat/completions", "embeddings")  # a dated api-version has these below /deployments/{deployment}
NEEDS_MODEL = (*IN_DEPLOYMENT, "responses")


def register(name: str, methods: list[str], route: str) -> None:
    @app.function_name(name)
    @app.route(route=f"v1/{route}", methods=methods)
    async def forwarded(req: Request) -> Response:
        return await answer(req, forward(req, route))


for _name, (_methods, _route) in FORWARDED.items():
    register(_name, _methods, _route)


@app.function_name("models")
@app.route(route="v1/models", methods=["GET"])
async def models(req: Request) -> Response:
    return await answer(req, list_models())


@app.function_name("model")
@app.route(route="v1/models/{model}", methods=["GET"])
async def model(req: Request) -> Response:
    return await answer(req, show_model(req.path_params["model"]))


@app.function_name("not_found")
@app.route(route="{*path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
async def not_found(req: Request) -> Response:
    return await answer(req, explain_not_found(req))


# --- errors of our own ------------------------------------------------------------------------------------------------

ERRORS = {  # code: (status, whether trying again can help, message)
    "invalid_json": (400, False, "The body must be one JSON object in UTF-8: {}."),
    "invalid_model": (400, False, "`model` must be one string."),
    "invalid_response_id": (400, False, "A response id is like resp_abc123."),
    "invalid_extra_query": (400, False, "Send the key as the header x-functions-key: `extra_query` would reach Azure."),
    "not_found": (404, False, "There is no {} {} here. The base URL ends in /api/v1, once; below it are {}."),
    "model_not_found": (404, False, "The model {!r} is not served here. Served are: {}."),
    "request_too_large": (413, False, "The body has {:,} bytes; {:,} are allowed."),
    "internal_error": (500, False, "The proxy failed unexpectedly; its log says why."),
    "upstream_authentication_error": (
        *(502, False),
        "Azure OpenAI refused the proxy's own identity ({}); your function key is fine. The administrator must grant "
        "the function's managed identity the role 'Cognitive Services OpenAI User' on the Azure OpenAI resource (it "
        "takes about 5 minutes to work) and check the resource's network rules.",
    ),
    "identity_unavailable": (
        *(502, True),
        "The proxy got no token from its managed identity. Try again in a moment; if it stays, the administrator must "
        "switch the identity on and check AZURE_CLIENT_ID.",
    ),
    "upstream_unreachable": (
        *(502, True),
        "The proxy cannot reach Azure OpenAI. Try again in a moment; if it stays, the administrator must check "
        "AZURE_OPENAI_BASE.",
    ),
    "upstream_stream_broken": (502, True, "Azure OpenAI broke off the stream; the answer is incomplete."),
    "misconfigured": (503, False, "The administrator must mend the app settings: {}."),
    "upstream_timeout": (
        *(504, True),
        f"Azure OpenAI was silent for {READ_SECONDS:.0f} s. For long calls use the Responses API with background=true.",
    ),
}


class ProxyError(Exception):
    """One of ERRORS, sent in OpenAI's shape: {"error": {message, type, param, code}}."""

    def __init__(self, code: str, *facts: object, param: str | None = None) -> None:
        self.code = code
        self.status, self.retry, message = ERRORS[code]
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        error = {"message": message.format(*facts), "type": kind, "param": param, "code": code}
        self.body = json.dumps({"error": error}).encode()

    def response(self) -> Response:
        headers = {} if self.retry or self.status < 500 else {"x-should-retry": "false"}
        return json_response(self.body, self.status, headers)


async def answer(req: Request, work: Coroutine[Any, Any, Response]) -> Response:
    """The route's answer. Whatever goes wrong, the caller gets an error in OpenAI's shape, never a bare 500."""
    try:
        if settings.problems:
            work.close()
            raise ProxyError("misconfigured", "; ".join(settings.problems))
        return await work
    except ProxyError as error:
        log_call(req, error.status, error=error.code)
        return error.response()
    except ClientDisconnect:
        log_call(req, 499, outcome="caller_left")
        return Response(status_code=499)  # nginx's number for it; nobody is there to read it
    except Exception:
        log.exception("unexpected error")
        return ProxyError("internal_error").response()


# --- what the routes do -----------------------------------------------------------------------------------------------


async def forward(req: Request, route: str) -> Response:
    started = time.monotonic()
    if not all(re.fullmatch(r"[A-Za-z0-9_-]{1,256}", value) for value in req.path_params.values()):
        raise ProxyError("invalid_response_id", param="response_id")
    model, deployment, body = choose_deployment(await read_body(req), route)
    url = upstream_url(route, req.path_params, deployment, req.scope["query_string"].decode("latin-1"))
    headers = [(name, value) for name, value in req.headers.raw if is_forwarded(name)]
    upstream = await unless_caller_leaves(req, send(req.method, url, headers, body))
    first_byte_ms = round(1000 * (time.monotonic() - started))
    return Relay(req, upstream, {"model": model, "deployment": deployment, "first_byte_ms": first_byte_ms})


async def send(method: str, url: str, headers: list[tuple[bytes, bytes]], body: bytes) -> httpx.Response:
    """Azure's answer, read up to the end of its headers."""
    headers.append((b"authorization", b"Bearer " + (await identity.token()).encode()))
    try:
        upstream = await client().send(httpx.Request(method, url, headers=headers, content=body), stream=True)
    except UPSTREAM_FAILURES as error:  # by the cause: httpx-aiohttp calls every lost connection a ConnectTimeout
        silent = isinstance(error.__cause__ or error, TimeoutError)
        raise ProxyError("upstream_timeout" if silent else "upstream_unreachable") from error
    if upstream.status_code in (401, 403):
        await upstream.aclose()
        identity.distrust()
        raise ProxyError("upstream_authentication_error", upstream.status_code)
    return upstream


class Relay(StreamingResponse):  # type: ignore[misc]
    """Azure's status, headers and bytes, passed on as they arrive.

    Starlette cancels the stream when the caller leaves; whatever happens, Azure's side is closed. When Azure breaks
    off, the caller's connection breaks off too, because no client notices a clean early end; a caller who stands
    between two events is told why first.
    """

    def __init__(self, req: Request, upstream: httpx.Response, record: dict[str, Any]) -> None:
        super().__init__(self.chunks(), upstream.status_code)
        self.raw_headers = relayed_headers(upstream.headers.raw)
        self.req, self.upstream, self.record = req, upstream, record
        self.sent, self.tail, self.outcome = 0, b"\n\n", "caller_left"

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self.upstream.aiter_raw():
                self.sent += len(chunk)
                self.tail = (self.tail + chunk)[-2:]
                yield chunk
            self.outcome = "complete"
        except UPSTREAM_FAILURES:
            self.outcome = "upstream_stream_broken"
            is_sse = self.upstream.headers.get("content-type", "").startswith("text/event-stream")
            if is_sse and self.tail == b"\n\n":
                yield b"data: " + ProxyError("upstream_stream_broken").body + b"\n\n"
            raise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except UPSTREAM_FAILURES:
            pass  # no last chunk: the server closes the caller's connection
        finally:
            await self.upstream.aclose()
            log_call(self.req, self.status_code, bytes=self.sent, outcome=self.outcome, **self.record)


async def list_models() -> Response:
    return json_response({"object": "list", "data": [model_entry(name) for name in settings.deployments]})


async def show_model(name: str) -> Response:
    deployment_of(name)
    return json_response(model_entry(name))


async def explain_not_found(req: Request) -> Response:
    routes = ", ".join([*(route for _, route in FORWARDED.values()), "models", "models/{model}"])
    raise ProxyError("not_found", req.method, req.url.path[:200], routes)


# --- Azure's side -----------------------------------------------------------------------------------------------------

UPSTREAM_FAILURES = (httpx.HTTPError, aiohttp.ClientError, OSError)  # TimeoutError is an OSError


class Wire(ResponseHandler):
    """aiohttp's connection, telling who reads a body that its chunks are malformed: aiohttp itself (3.14, with its C
    parser) tells nobody, and the reader waits for ever."""

    def set_exception(self, *error: Any) -> None:
        if self._payload and not self._payload.is_eof() and not self._payload.exception():
            self._payload.set_exception(aiohttp.ClientPayloadError("malformed answer"))
        super().set_exception(*error)


class Transport(AiohttpTransport):
    """httpx over aiohttp that sends URLs exactly as they are: aiohttp alone would decode %2F and %7E in a query."""

    def __init__(self) -> None:
        super().__init__(trust_env=False)
        connector = aiohttp.TCPConnector(
            limit=MAX_CONNECTIONS, keepalive_timeout=KEEPALIVE_SECONDS, ssl=self.ssl_context
        )
        connector._factory = functools.partial(Wire, asyncio.get_running_loop())  # type: ignore[assignment]
        self.session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),  # one caller's cookie must never reach another
            skip_auto_headers=("accept", "accept-encoding", "user-agent", "content-type"),
        )

    def get_client(self) -> Any:
        return self

    def request(self, url: str, **options: Any) -> Any:
        return self.session.request(url=URL(url, encoded=True), **options)

    async def aclose(self) -> None:
        await self.session.close()


@functools.cache
def client() -> httpx.AsyncClient:
    """The one client of this process, made inside the running event loop."""
    return httpx.AsyncClient(
        transport=Transport(),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS, pool=POOL_SECONDS),
        trust_env=False,
    )


class Identity:
    """The function's token for Azure OpenAI: one fetch for any number of callers, renewed in the background before it
    expires, served as long as it is valid. (azure-identity alone asks once per concurrent caller, and fails in an
    outage of the identity endpoint while its token is still good.)"""

    def __init__(self) -> None:
        self.credential: Any = None
        self.current: Any = None  # azure.core.credentials.AccessToken: token, expires_on in Unix seconds
        self.fetch: asyncio.Task[None] | None = None
        self.fetched_at = 0.0

    async def token(self) -> str:
        now = time.time()
        left = self.current.expires_on - now if self.current else 0.0
        good = left > EXPIRY_MARGIN_SECONDS
        due = left < REFRESH_AHEAD_SECONDS and not (good and now - self.fetched_at < REFRESH_PAUSE_SECONDS)
        if due and (self.fetch is None or self.fetch.done()):
            self.fetched_at = now
            self.fetch = asyncio.create_task(self.renew())
            self.fetch.add_done_callback(report_failure)
        if not good and self.fetch:
            try:
                await asyncio.shield(self.fetch)
            except Exception as error:
                raise ProxyError("identity_unavailable") from error
        return str(self.current.token)

    async def renew(self) -> None:
        self.current = await asyncio.to_thread(self.get_token)

    def get_token(self) -> Any:
        if self.credential is None:
            from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

            if "IDENTITY_ENDPOINT" in os.environ:  # in Azure
                self.credential = ManagedIdentityCredential(client_id=settings.client_id)
            else:  # on a laptop: `az login` and its like
                self.credential = DefaultAzureCredential()
        return self.credential.get_token(settings.scope)

    def distrust(self) -> None:
        """Azure refused the token: the next caller asks for a new one, in case a role was granted meanwhile."""
        if time.time() - self.fetched_at > REFRESH_PAUSE_SECONDS:
            self.credential = self.current = None


def report_failure(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()):
        log.warning("no token from the managed identity: %s", type(error).__name__)


identity = Identity()
threading.Thread(
    target=importlib.import_module, args=("azure.identity",), daemon=True
).start()  # the first call needs it

# --- small helpers ----------------------------------------------------------------------------------------------------

REQUEST_HEADERS = frozenset(
    b"content-type accept accept-encoding user-agent traceparent tracestate x-client-request-id "
    b"x-ms-client-request-id".split()
)
REQUEST_HEADER_PREFIXES = (b"openai-", b"x-stainless-")
QUERY_DROPPED = ("code", "clientid", "api-version")  # keys of the Functions host, and what the settings decide
RESPONSE_HEADERS_DROPPED = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding "
    b"upgrade set-cookie server date alt-svc strict-transport-security".split()
)


def is_forwarded(header: bytes) -> bool:
    return header in REQUEST_HEADERS or header.startswith(REQUEST_HEADER_PREFIXES)


def relayed_headers(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    lowered = [(name.lower(), value) for name, value in headers]
    listed = {part.strip().lower() for name, value in lowered if name == b"connection" for part in value.split(b",")}
    return [(name, value) for name, value in lowered if name not in RESPONSE_HEADERS_DROPPED | listed]


def upstream_url(route: str, ids: Mapping[str, str], deployment: str | None, query: str) -> str:
    """Azure's v1 API, except where a dated api-version is set and has this route."""
    prefix, version = "/openai/v1/", "preview" if settings.preview else ""
    if settings.dated and route in IN_DEPLOYMENT:
        prefix, version = f"/openai/deployments/{deployment}/", settings.dated
    elif settings.dated >= RESPONSES_SINCE:
        prefix, version = "/openai/", settings.dated
    pairs = [pair for pair in query.split("&") if unquote_plus(pair.split("=")[0]).lower() not in ("", *QUERY_DROPPED)]
    pairs += [f"api-version={version}"] if version else []
    return settings.base + prefix + route.format_map(ids) + "?" * bool(pairs) + "&".join(pairs)


async def read_body(req: Request) -> bytes:
    """The whole body. One that is too large is read to its end as well: a client that still sends hears no answer."""
    chunks, size = [], 0
    async for chunk in req.stream():
        size += len(chunk)
        chunks.append(chunk if size <= MAX_BODY_BYTES else b"")
    if size > MAX_BODY_BYTES:
        raise ProxyError("request_too_large", size, MAX_BODY_BYTES)
    return b"".join(chunks)


def choose_deployment(body: bytes, route: str) -> tuple[str | None, str | None, bytes]:
    """(model, deployment, body): the model asked for, or the default, and the body that names the deployment to Azure.
    Only the value of `model` is ever rewritten, and not where the deployment is part of the path."""
    if not body and route not in NEEDS_MODEL:
        return None, None, body
    try:
        text = body.decode()
        members = DECODER.decode(text)
        if not isinstance(members, tuple):
            raise ValueError("it is something else")
    except (ValueError, RecursionError) as error:
        raise ProxyError("invalid_json", error) from error
    named = [value for name, value in members if name == "model"]
    if len(named) > 1 or not all(isinstance(value, str | None) for value in named):
        raise ProxyError("invalid_model", param="model")
    if "extra_query" in dict(members):  # LiteLLM puts a ?code= there
        raise ProxyError("invalid_extra_query", param="extra_query")
    if not named and route not in NEEDS_MODEL:
        return None, None, body
    model = next((value for value in named if value is not None), next(iter(settings.deployments)))
    deployment = deployment_of(model)
    if deployment not in named and not (settings.dated and route in IN_DEPLOYMENT):
        body = with_model(text, deployment, replace=bool(named), alone=not members).encode()
    return model, deployment, body


DECODER = json.JSONDecoder(object_pairs_hook=tuple, parse_int=len)  # int() refuses 4,300 digits; any number will do
TOKEN = re.compile(r'("[^"\\]*(?:\\.[^"\\]*)*")(\s*:\s*)?|[{}\[\]]')


def with_model(text: str, deployment: str, replace: bool, alone: bool) -> str:
    """A JSON object's text with its own `model` replaced, or added in front; every other character stays."""
    name, depth = json.dumps(deployment), 0
    for token in TOKEN.finditer(text) if replace else ():
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(token[0], 0)
        if depth == 1 and token[2] and json.loads(token[1]) == "model":
            return text[: token.end()] + name + text[DECODER.raw_decode(text, token.end())[1] :]
    start = text.index("{") + 1
    return text[:start] + f'"model":{name}' + "," * (not alone) + text[start:]


def deployment_of(model: str) -> str:
    if model not in settings.deployments:
        raise ProxyError("model_not_found", model[:200], ", ".join(settings.deployments), param="model")
    return settings.deployments[model]


def model_entry(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "azure-openai"}


def json_response(content: bytes | dict[str, Any], status: int = 200, headers: Mapping[str, str] = {}) -> Response:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Response(body, status, {"x-request-id": str(uuid.uuid4()), **headers}, media_type="application/json")


async def unless_caller_leaves(req: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`; when the caller leaves first, `work` is cancelled, which nothing else would do."""
    doing, gone = asyncio.create_task(work), asyncio.create_task(caller_left(req))
    try:
        await asyncio.wait((doing, gone), return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            return doing.result()
        raise ClientDisconnect
    finally:
        doing.cancel()
        gone.cancel()


async def caller_left(req: Request) -> None:
    while (await req.receive())["type"] != "http.disconnect":
        pass


def log_call(req: Request, status: int, **record: Any) -> None:
    log.info("call %s", json.dumps({"method": req.method, "path": req.url.path[:200], "status": status, **record}))
