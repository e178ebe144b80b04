"""uvicorn's HTTP protocol for clients that offer another one: Java's HttpClient and `curl --http2` do with every call.

A server may ignore the offer and answer in HTTP/1.1 (RFC 9110, section 7.8). llhttp takes what follows the head for the
other protocol, and the body would be lost: it reads such a head once more, without the offer.
"""

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class WithoutUpgrade(HttpToolsProtocol):
    """No upgrade is ever made; the application sees the request's headers as they came."""

    def data_received(self, data: bytes) -> None:
        while True:
            try:
                super().data_received(data)
                return
            except httptools.HttpParserUpgrade as offer:
                self._read_without_offer()
                data = data[offer.args[0] :]

    def _read_without_offer(self) -> None:
        headers, version = self.headers, self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, version)]
        lines += [b"%b: %b" % pair for pair in headers if pair[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)  # the other one reads nothing more after a `Connection: close`
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn has it
        super().data_received(b"\r\n".join([*lines, b"", b""]))
        self.headers[:] = headers  # the application begins later

    def _should_upgrade(self) -> bool:
        """uvicorn then leaves the request to `handle_websocket_upgrade`."""
        return self.parser.get_method() != b"CONNECT"  # which is an upgrade without any offer

    def handle_websocket_upgrade(self) -> None:
        raise  # HttpParserUpgrade, which says where the head ends
