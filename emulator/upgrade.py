"""uvicorn's HTTP protocol for clients that offer another one with every call: Java's HttpClient and `curl --http2`.

A server may ignore the offer and answer in HTTP/1.1 (RFC 9110, section 7.8). llhttp takes the bytes behind the head for
the other protocol, and the body would be lost. So llhttp reads such a head once more, without the offer.
"""

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class WithoutUpgrade(HttpToolsProtocol):
    """Never upgrades. The application sees the request's headers as they came."""

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
        self.parser = httptools.HttpRequestParser(self)  # the old parser reads nothing after a `Connection: close`
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as in uvicorn
        super().data_received(b"\r\n".join([*lines, b"", b""]))
        self.headers[:] = headers  # the application begins later

    def _should_upgrade(self) -> bool:
        """Whether uvicorn hands the request to `handle_websocket_upgrade`."""
        return self.parser.get_method() != b"CONNECT"  # an upgrade without an offer

    def handle_websocket_upgrade(self) -> None:
        raise  # HttpParserUpgrade, which says where the head ends
