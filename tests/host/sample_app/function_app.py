"""An app with one function for each thing the host promises. `happened/{event}` lets a client wait instead of sleep."""

import asyncio
import gzip
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import AsyncIterator

import azure.functions as func
from azurefunctions.extensions.http.fastapi import FileResponse, JSONResponse, Request, Response, StreamingResponse
from starlette.responses import Response as FastApiResponse
from starlette.types import Receive, Scope, Send

PATIENCE_S = 20

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
events: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
calls: Counter[str] = Counter()


async def happened(event: str) -> None:
    await asyncio.wait_for(events[event].wait(), PATIENCE_S)


@app.route(route="show/{*rest}")
async def show(req: Request, context: func.Context) -> JSONResponse:
    return JSONResponse(
        {
            "method": req.method,
            "raw_path": req.scope["raw_path"].decode("ascii"),
            "query": req.scope["query_string"].decode("ascii"),
            "parameters": req.path_params,
            "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in req.scope["headers"]],
            "body": (await req.body()).decode("latin-1"),
            "invocation": context.invocation_id,
            "function": context.function_name,
        }
    )


@app.route(route="count/{name}")
async def count(req: Request) -> JSONResponse:
    calls[req.path_params["name"]] += 1
    return JSONResponse(calls[req.path_params["name"]])


@app.route(auth_level=func.AuthLevel.ANONYMOUS)
async def anonymous(req: Request) -> str:
    return "come in"


@app.route(auth_level=func.AuthLevel.ADMIN, route="for-admins")
async def for_admins(req: Request) -> str:
    return "master"


@app.route(route="only-post", methods=["POST"])
async def only_post(req: Request) -> str:
    return "posted"


@app.route(route="tree/{*rest}")
async def branches(req: Request) -> str:
    return "catch-all"


@app.route(route="tree/{name}")
async def branch(req: Request) -> str:
    return "parameter"


@app.route(route="tree/{number:int}")
async def ring(req: Request) -> str:
    return "constraint"


@app.route(route="tree/leaf", methods=["GET"])
async def leaf(req: Request) -> str:
    return "literal"


@app.route(route="by-method/{name}", methods=["POST"])
async def method_first(req: Request) -> str:
    return "first name"


@app.route(route="by-method/leaf", methods=["GET", "POST"])
async def method_second(req: Request) -> str:
    return "second name"


@app.route(route="numbers/{number:int:min(10)}")
async def number(req: Request) -> JSONResponse:
    return JSONResponse(req.path_params)


@app.route()
async def text(req: Request) -> str:
    return "hello"


@app.route()
async def nothing(req: Request) -> Response:
    return None


@app.route()
async def raises(req: Request) -> Response:
    raise RuntimeError("a secret detail")


@app.route()
async def no_file(req: Request) -> FileResponse:
    return FileResponse("no such file")


@app.route()
def thread(req: Request) -> JSONResponse:
    return JSONResponse({"main": threading.current_thread() is threading.main_thread(), "path": req.url.path})


@app.route()
async def answer(req: Request) -> Response:
    response = Response(gzip.compress(b"tea", mtime=0), 418, {"content-encoding": "gzip"}, "text/plain")
    response.raw_headers += [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
    return response


@app.route(route="odd-header")
async def odd_header(req: Request) -> Response:
    response = Response("ok")
    response.raw_headers += [(b"x-odd", b"caf\xe9")]
    return response


@app.route(route="long-header")
async def long_header(req: Request) -> Response:
    return Response("ok", headers={"x-long": "x" * 70_000})


class Echo(FastApiResponse):
    """Sends each piece back as it comes. A StreamingResponse can't: it reads the request itself, to see disconnects."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        more = True
        while more:
            message = await receive()
            more = message.get("more_body", False)
            await send({"type": "http.response.body", "body": message.get("body", b""), "more_body": more})


@app.route()
async def echo(req: Request) -> Echo:
    return Echo()


@app.route()
async def mirror(req: Request) -> Response:
    return Response(await req.body())


@app.route(route="upload/{event}")
async def upload(req: Request) -> JSONResponse:
    size = 0
    async for piece in req.stream():
        size += len(piece)
        events[req.path_params["event"]].set()
    return JSONResponse(size)


@app.route(route="frames/{name}")
async def frames(req: Request) -> StreamingResponse:
    async def frames() -> AsyncIterator[str]:
        for i in range(3):
            yield f"frame {i}"
            await happened(f"{req.path_params['name']}-{i}")

    return StreamingResponse(frames())


@app.route(route="drip/{gap:float}")
async def drip(req: Request) -> StreamingResponse:
    async def drops() -> AsyncIterator[str]:
        for _ in range(5):
            await asyncio.sleep(float(req.path_params["gap"]))
            yield "drop "

    return StreamingResponse(drops())


@app.route()
async def breaks(req: Request) -> StreamingResponse:
    async def broken_frames() -> AsyncIterator[str]:
        yield "first"
        raise RuntimeError("a secret detail")

    return StreamingResponse(broken_frames())


@app.route(route="breaks-at-once")
async def breaks_at_once(req: Request) -> StreamingResponse:
    async def no_frames() -> AsyncIterator[str]:
        raise RuntimeError("a secret detail")
        yield

    return StreamingResponse(no_frames())


@app.route(route="later/{event}")
async def later(req: Request) -> StreamingResponse:
    async def frames() -> AsyncIterator[str]:
        events[f"{req.path_params['event']}-begins"].set()
        await happened(req.path_params["event"])
        yield "now"

    return StreamingResponse(frames())


@app.route(route="endless/{event}")
async def endless(req: Request) -> StreamingResponse:
    async def frames() -> AsyncIterator[str]:
        yield "first"
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            events[req.path_params["event"]].set()
            raise

    return StreamingResponse(frames())


@app.route(route="polls/{event}")
async def polls(req: Request) -> str:
    events[f"{req.path_params['event']}-begins"].set()
    while not await req.is_disconnected():
        await asyncio.sleep(0.005)
    events[req.path_params["event"]].set()
    return "nobody hears this"


@app.route(route="receives/{event}")
async def receives(req: Request) -> str:
    await req.body()
    events[f"{req.path_params['event']}-begins"].set()
    assert (await req.receive())["type"] == "http.disconnect"
    events[req.path_params["event"]].set()
    return "nobody hears this"


@app.route(route="happened/{event}")
async def wait(req: Request) -> str:
    await happened(req.path_params["event"])
    return "it happened"


@app.route(route="happen/{event}")
async def signal(req: Request) -> str:
    events[req.path_params["event"]].set()
    return "now it happened"


@app.route()
async def leftovers(req: Request) -> JSONResponse:
    """How many calls the worker remembers."""
    names = ("azure_functions_runtime.http_v2", "azure_functions_worker.http_v2")
    worker = next(sys.modules[name] for name in names if name in sys.modules)
    return JSONResponse(len(worker.http_coordinator._context_references))
