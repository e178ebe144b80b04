"""A function app that shows what a Functions host does: which function it chose, what arrived, what leaves.

Functions are named so that the order of names is not the order of precision.
"""

import asyncio
import logging

import azure.functions as func
from azurefunctions.extensions.http.fastapi import JSONResponse, Request, Response, StreamingResponse

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


def seen(req: Request, name: str) -> dict:
    return {
        "function": name,
        "method": req.method,
        "url": str(req.url),
        "raw_path": req.scope.get("raw_path", b"").decode("latin-1"),
        "query": req.scope["query_string"].decode("latin-1"),
        "parameters": dict(req.path_params),
        "client": req.client.host if req.client else None,
        "headers": [[k.decode("latin-1"), v.decode("latin-1")] for k, v in req.headers.raw],
    }


def shows(
    name: str, route: str, methods: tuple[str, ...] = ("GET",), level: func.AuthLevel = func.AuthLevel.ANONYMOUS
) -> None:
    async def handler(req: Request) -> JSONResponse:
        body = await req.body()
        return JSONResponse({**seen(req, name), "body": body.decode("latin-1")})

    handler.__name__ = name
    app.function_name(name)(app.route(route=route, methods=list(methods) or None, auth_level=level)(handler))


EVERY = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")

# --- order: the first name that matches wins
shows("aa_leaf", "first/leaf")
shows("ab_name", "first/{name}")
shows("ac_rest", "first/{*rest}")
shows("ba_rest", "last/{*rest}")
shows("bb_name", "last/{name}")
shows("bc_leaf", "last/leaf")
shows("ca_post", "method/{name}", ("POST",))
shows("cb_get", "method/leaf", ("GET",))
shows("d_upper", "Upper/Leaf")
shows("du_under", "under/{name}")  # `_` sorts after letters when names are compared in upper case
shows("d_zz", "under/{name}")

# --- templates
shows("e_int", "t/int/{n:int}")
shows("e_alpha", "t/alpha/{n:alpha}")
shows("e_regex", "t/regex/{n:regex(^[!-~]+$)}")
shows("e_length", "t/length/{n:length(3)}")
shows("e_min", "t/min/{n:min(10)}")
shows("e_guid", "t/guid/{n:guid}")
shows("e_bool", "t/bool/{n:bool}")
shows("e_two", "t/two/{a}/{b}")
shows("e_mixed", "t/mixed/{a}.{b}")
shows("e_prefix", "t/prefix/v{n}")
shows("e_optional", "t/optional/{a?}")
shows("e_default", "t/default/{a=1}")
shows("e_rest", "t/rest/{*rest}")
shows("e_name", "t/name/{name}")

# --- keys and methods
shows("f_open", "open", EVERY)
shows("f_keyed", "keyed", EVERY, func.AuthLevel.FUNCTION)
shows("f_master", "master", EVERY, func.AuthLevel.ADMIN)
shows("f_any", "any", ())
shows("f_lower", "lower", ("get", "post"))

# --- answers


@app.route(route="status/{code:int}", methods=["GET", "HEAD", "POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def g_status(req: Request) -> Response:
    code = int(req.path_params["code"])
    return Response(None if code in (204, 304) else f"status {code}", code, media_type="text/plain")


@app.route(route="headers", methods=["GET", "HEAD"], auth_level=func.AuthLevel.ANONYMOUS)
async def g_headers(req: Request) -> Response:
    response = Response("ok", media_type="text/plain")
    response.raw_headers += [
        (b"set-cookie", b"a=1"),
        (b"set-cookie", b"b=2"),
        (b"server-timing", b"x;dur=1"),
        (b"server-timing", b"y;dur=2"),
        (b"x-empty", b""),
        (b"x-spaces", b"a  b"),
        (b"X-Case-Kept", b"v"),
        (b"alt-svc", b"h3"),
        (b"te", b"trailers"),
        (b"proxy-authenticate", b"Basic"),
        (b"keep-alive", b"timeout=5"),
        (b"upgrade", b"x"),
        (b"x-ms-invocation-id", b"mine"),
        (b"etag", b'"1"'),
        (b"date", b"Mon, 01 Jan 2024 00:00:00 GMT"),
        (b"server", b"mine"),
        (b"vary", b"origin"),
    ]
    return response


@app.route(route="odd-header", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def g_odd_header(req: Request) -> Response:
    response = Response("ok", media_type="text/plain")
    response.raw_headers += [(b"x-odd", b"caf\xe9")]
    return response


@app.route(route="long-header/{n:int}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def g_long_header(req: Request) -> Response:
    return Response("ok", headers={"x-long": "x" * int(req.path_params["n"])})


@app.route(route="many-headers/{n:int}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def g_many_headers(req: Request) -> Response:
    return Response("ok", headers={f"x-{i}": "v" for i in range(int(req.path_params["n"]))})


@app.route(route="text", methods=["GET", "POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def g_text(req: Request) -> str:
    return "hello"


@app.route(route="none", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def g_none(req: Request) -> Response:
    return None


@app.route(route="raises", methods=["GET", "POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def g_raises(req: Request) -> Response:
    raise RuntimeError("a secret detail")


@app.route(route="slow/{ms:int}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def g_slow(req: Request) -> str:
    await asyncio.sleep(int(req.path_params["ms"]) / 1000)
    return "late"


# --- streams


def stream(
    name: str,
    *,
    before: float = 0,
    frames: int = 3,
    gap: float = 0.2,
    raises: bool = False,
    headers: dict | None = None,
) -> None:
    async def handler(req: Request) -> StreamingResponse:
        async def pieces():
            await asyncio.sleep(before)
            for i in range(frames):
                yield f"data: {i}\n\n"
                await asyncio.sleep(gap)
            if raises:
                raise RuntimeError("a secret detail")

        return StreamingResponse(pieces(), media_type="text/event-stream", headers=headers)

    handler.__name__ = f"h_{name.replace('-', '_')}"
    app.function_name(handler.__name__)(
        app.route(route=f"stream/{name}", methods=["GET", "POST"], auth_level=func.AuthLevel.ANONYMOUS)(handler)
    )


stream("plain")
stream("head-first", before=1.0)
stream("cut-at-once", frames=0, raises=True)
stream("cut-after-a-second", before=1.0, frames=0, raises=True)
stream("cut-after-one", frames=1, raises=True)
stream("promised-length", frames=1, raises=True, headers={"content-length": "100"})
stream("empty", frames=0)


# --- bodies


@app.route(route="size", methods=["POST", "GET", "DELETE"], auth_level=func.AuthLevel.ANONYMOUS)
async def i_size(req: Request) -> JSONResponse:
    size, pieces = 0, 0
    async for piece in req.stream():
        size, pieces = size + len(piece), pieces + 1
    return JSONResponse(
        {
            "size": size,
            "content-length": req.headers.get("content-length"),
            "transfer-encoding": req.headers.get("transfer-encoding"),
        }
    )


@app.route(route="unread", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def i_unread(req: Request) -> str:
    return "did not read"


@app.route(route="logs", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def j_logs(req: Request) -> str:
    logging.warning("LOG inside the invocation")
    print("PRINT inside the invocation", flush=True)

    async def later() -> None:
        await asyncio.sleep(0.5)
        logging.warning("LOG after the answer")
        print("PRINT after the answer", flush=True)

    asyncio.get_running_loop().create_task(later())
    asyncio.get_running_loop().call_later(0.5, lambda: logging.warning("LOG from a callback"))
    return "logged"
