"""uvicorn's HTTP protocol, changed to read as Kestrel does."""

import asyncio
from http import HTTPStatus

from ...connection import Connected
from .head import END, LONGEST, Head, Refused, is_plain, read_head
from .kestrel import AUTHORITY
from .listener import Protocol


class KestrelProtocol(Connected, Protocol):
    """Reads each head before llhttp sees it. The application finds the connection in its scope."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.held, self.inside, self.head_is_read = b"", False, False
        self.odd: Head | None = None

    def data_received(self, data: bytes) -> None:
        if not self.inside:
            data = self.held + data
            end = data.find(b"\r\n\r\n") + 4
            if end < 4 and len(data) <= LONGEST:
                if (found := END.search(data)) is None:
                    self.held = data
                    return
                end = found.end()
            self.held = b""
            if end >= 4 and not is_plain(data[:end]):
                try:
                    self.odd = read_head(data[:end])
                except Refused as refused:
                    self.refuse(refused.status)
                    return
                data = self.odd.framing + data[end:]
        super().data_received(data)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.inside, self.head_is_read, self.connection.is_whole = True, False, False

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.head_is_read:  # trailers do not reach the function
            return
        name, value = name.lower(), value.strip(b" \t")
        self.expect_100_continue |= name == b"expect" and value.lower() == b"100-continue"
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self.head_is_read = True
        odd, self.odd = self.odd, None
        if odd:
            self.headers[:] = odd.headers
        super().on_headers_complete()  # the application begins later
        if odd:
            self.scope["method"] = odd.method
        if b"#" in self.url and self.url.startswith(b"/"):  # a `#` is a character of the path here
            path, _, query = self.url.partition(b"?")
            self.scope["raw_path"], self.scope["query_string"] = path, query
        if not self.url.startswith((b"/", b"*")):
            self.scope["extensions"][AUTHORITY] = self.url.partition(b"://")[2] or self.url  # type: ignore[assignment]

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self.inside, self.connection.is_whole = False, True

    def send_400_response(self, msg: str) -> None:
        self.refuse(HTTPStatus.BAD_REQUEST)

    def refuse(self, status: HTTPStatus) -> None:
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        self.transport.write(head.encode())
        self.transport.close()
