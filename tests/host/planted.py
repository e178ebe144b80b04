"""A way to break each row of emulator/host/README.md: the file, a text that it has once, and the text's replacement."""

from typing import NamedTuple


class Planted(NamedTuple):
    file: str
    text: str
    replacement: str


PLANTED = {
    "host's own routes": Planted(
        "routing/definition.py", "if route.startswith(tuple(map(str.upper, HOSTS_OWN))):", "if False:"
    ),
    "names": Planted("routing/definition.py", "if capitals.count(upper(name)) > 1", "if capitals.count(name) > 1"),
    "import errors": Planted("app.py", 'if file.suffix == ".py" else ""', 'if file.suffix == ".txt" else ""'),
    "signatures": Planted("workers/signature.py", "in annotations and not check(annotations[where])", "in ()"),
    "order": Planted(
        "routing/route.py", "key=lambda function: upper(function.name)", "key=lambda function: function.name"
    ),
    "methods": Planted("routing/route.py", "if (methods is None or method in methods) and (values", "if (values"),
    "a method's case": Planted(
        "http/yarp.py", "return upper if (upper := method.upper()) in", "return method if method in"
    ),
    "a path's case": Planted("routing/route.py", "if upper(part.text) == upper(text)", "if part.text == text"),
    "templates": Planted("routing/route.py", "max(end - 1, 0) if pending else end", "end"),
    "parameters": Planted(
        "routing/route.py", "values |= {part.name: rest} if rest else {}", "values |= {part.name: rest}"
    ),
    "constraints": Planted("routing/dotnet.py", '_W = r"[\\t-\\r ]*"', '_W = r""'),
    "no route": Planted(
        "front.py",
        "return await _answer(send, HTTPStatus.NOT_FOUND)",
        'return await _answer(send, HTTPStatus.NOT_FOUND, body=b"none")',
    ),
    "`/`": Planted("front.py", 'if path == "/":', 'if path == "//":'),
    "preflights": Planted("front.py", 'if scope["method"] == "OPTIONS" and', 'if scope["method"] == "" and'),
    "pages of other sites": Planted("cors.py", "not in self.origins:", "is None:"),
    "escapes": Planted("http/path.py", "(?:%(?!2[fF])[0-9a-fA-F]{2})+", "(?:%[0-9a-fA-F]{2})+"),
    "dots": Planted("http/path.py", 'if "/." in raw_path else raw_path', 'if "/. " in raw_path else raw_path'),
    "nulls": Planted("http/path.py", '        if "\\0" in raw_path:', "        if not raw_path:"),
    "what arrives": Planted(
        "http/yarp.py", 'return ESCAPED.sub(lambda found: b"%%%02X" % found[0][0], query)', "return query"
    ),
    "header and query": Planted("key.py", "if given is None:", "if not given:"),
    "the query's names": Planted("key.py", 'if name.lower() == "code"', 'if name == "code"'),
    "levels": Planted("key.py", '"ADMIN": master}', '"ADMIN": everyone}'),
    "no good key": Planted(
        "front.py",
        "        if not self._keys.admit(",
        "        await read_whole(receive, self._body_limit)\n        if not self._keys.admit(",
    ),
    "request line": Planted("http/kestrel.py", "MAX_REQUEST_LINE_BYTES = 8_192", "MAX_REQUEST_LINE_BYTES = 80_000"),
    "headers": Planted("http/kestrel.py", "MAX_HEADERS = 100", "MAX_HEADERS = 1_000"),
    "odd heads": Planted("http/head.py", r'rb"\+?[0-9]{1,18}"', r'rb"[0-9]{1,18}"'),
    "first line": Planted("http/head.py", '        and line.count(b" ") == 2\n', ""),
    "old clients": Planted("http/kestrel.py", 'scope["method"] in ("POST", "PUT")', 'scope["method"] in ()'),
    "host": Planted("http/kestrel.py", "if not is_host_of(value, scope):", "if False:"),
    "a lone Latin-1 byte": Planted("http/kestrel.py", "if not value.isascii() and not is_utf8(value):", "if False:"),
    "`Connection: close`": Planted(
        "http/protocol.py",
        "        if odd:\n            self.scope",
        "        self.cycle.keep_alive = True\n        if odd:\n            self.scope",
    ),
    "trailers": Planted("http/protocol.py", "if self.head_is_read:", "if False:"),
    "with a length": Planted("front.py", "if int(length) == 0\n", "if int(length) >= 0\n"),
    "in chunks": Planted("front.py", 'named.get(b"content-length", b"0")', 'named.get(b"content-length", b"1")'),
    "too large": Planted(
        "front.py",
        "return await _answer(send, HTTPStatus.INTERNAL_SERVER_ERROR, CLOSE)",
        "return await _answer(send, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, CLOSE)",
    ),
    "too slow": Planted("http/kestrel.py", "BODY_GRACE_S = 5.0", "BODY_GRACE_S = 50.0"),
    "none": Planted("http/yarp.py", 'kept.setdefault(b"content-length", b"0")', "pass"),
    "repeated headers": Planted("http/yarp.py", '(b"; " if name == b"cookie" else b", ")', 'b", "'),
    "dropped headers": Planted("http/yarp.py", "upgrade-insecure-requests forwarded", "upgrade-insecure-requests"),
    "for whom": Planted("http/yarp.py", ', named.get(b"host", b""))', ", worker)"),
    "the caller's scheme": Planted(
        "http/yarp.py", 'named.get(b"x-forwarded-proto", scheme.encode())', "scheme.encode()"
    ),
    "the head": Planted(
        "http/exchange.py",
        "                self.failure = failure\n            return\n",
        "                self.failure = failure\n            else:\n"
        "                await self._send(self._head)\n"
        "                self._head, self.answered = None, True\n            return\n",
    ),
    "cut before that": Planted(
        "front.py",
        "HTTPStatus.INTERNAL_SERVER_ERROR, *named, body=body",
        "HTTPStatus.BAD_GATEWAY, *named, body=body",
    ),
    "cut after that": Planted("front.py", "await connection.reset_when_sent()", "return None"),
    "silence": Planted("http/exchange.py", "self._expired = self._task.cancel()", "self._expired = False"),
    "a handler that fails": Planted(
        "workers/public.py", "            raise outcome\n", "            return str(outcome)\n"
    ),
    "an answer's headers": Planted("http/yarp.py", "HEADER_BYTES = 65_536", "HEADER_BYTES = 655_360"),
    "hop-by-hop headers": Planted("http/yarp.py", "close te alt-svc", "close te"),
    "the worker's server": Planted("http/exchange.py", "[WORKERS_SERVER, *response", "[*response"),
    "never answered": Planted("http/yarp.py", 'if method == "CONNECT":', "if False:"),
    "WebSockets": Planted("front.py", "if yarp.is_websocket(fields) and", "if False and"),
    "left open": Planted("http/yarp.py", "if method not in METHODS_OF_LLHTTP:", "if False:"),
    "memory": Planted(
        "workers/coordinator.py",
        'return self._pop(invocation_id, "answer")',
        'return [self._pop(invocation_id, "answer"), self._context_references.pop(invocation_id)][0]',
    ),
}
