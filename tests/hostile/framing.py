"""Ways to mark the end of a body. All servers understand some of them alike, and others differently."""

from collections.abc import Callable

from tests.hostile.parts import SMUGGLED

Framed = tuple[bytes, bytes]  # (header lines, bytes after the head)


def chunked(body: bytes, extension: bytes = b"", trailer: bytes = b"") -> bytes:
    size = max(1, len(body) // 3)
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x%s\r\n%s\r\n" % (len(part), extension, part) for part in parts) + b"0\r\n" + trailer + b"\r\n"


def of_length(body: bytes, length: bytes | int) -> Framed:
    return b"content-length: %s\r\n" % (str(length).encode() if isinstance(length, int) else length), body


TE = b"transfer-encoding: chunked\r\n"
HONEST_FRAMINGS: list[Callable[[bytes], Framed]] = [
    lambda body: of_length(body, len(body)),
    lambda body: (TE, chunked(body)),
    lambda body: (TE.upper(), chunked(body, extension=b';a="b"')),
    lambda body: (TE, chunked(body, trailer=b"x-functions-key: wrong\r\nhost: evil.example\r\n")),
    lambda _: (b"", b""),
]
LYING_FRAMINGS: list[Callable[[bytes], Framed]] = [
    lambda body: of_length(body, len(body) + 7),
    lambda body: of_length(body, len(body) // 2),
    lambda body: of_length(body + SMUGGLED, len(body)),
    lambda body: of_length(body, -1),
    lambda body: of_length(body, b"+%d" % len(body)),
    lambda body: of_length(body, b"0x%x" % len(body)),
    lambda body: of_length(body, 10**25),
    lambda body: of_length(body, 2**63 - 1),
    lambda body: of_length(body, b"%d, %d" % (len(body), len(body))),
    lambda body: of_length(body, b"%d\r\ncontent-length: %d" % (len(body), len(body))),
    lambda body: of_length(body + SMUGGLED, b"%d\r\ncontent-length: %d" % (len(body), len(body + SMUGGLED))),
    lambda body: of_length(b"0\r\n\r\n" + SMUGGLED, b"%d\r\ntransfer-encoding: chunked" % (5 + len(SMUGGLED))),
    lambda body: (TE + b"content-length: 4\r\n", chunked(body) + SMUGGLED),
    lambda body: (b"transfer-encoding: identity\r\n", body + SMUGGLED),
    lambda body: (b"transfer-encoding: chunked, identity\r\n", chunked(body) + SMUGGLED),
    lambda body: (b"transfer-encoding: xchunked\r\ncontent-length: 0\r\n", chunked(body) + SMUGGLED),
    lambda body: (b"transfer-encoding:\x0bchunked\r\ncontent-length: 0\r\n", SMUGGLED),
    lambda body: (b"transfer-encoding\t: chunked\r\ncontent-length: 0\r\n", SMUGGLED),
    lambda body: (b"transfer-encoding:\r\n chunked\r\ncontent-length: 0\r\n", SMUGGLED),
    lambda body: (TE + TE, chunked(body) + SMUGGLED),
    lambda body: (TE, b"zz\r\n" + body),
    lambda body: (TE, b"-5\r\n" + body),
    lambda body: (TE, b"f" * 17 + b"\r\n" + body),
    lambda body: (TE, b"0x5\r\nabcde\r\n0\r\n\r\n" + SMUGGLED),
    lambda body: (TE, b"5\nabcde\n0\n\n" + SMUGGLED),
    lambda body: (TE, b"5\r\nabcdeXX0\r\n\r\n" + SMUGGLED),
    lambda body: (TE, chunked(body, extension=b";a=\n5")),
    lambda body: (TE, chunked(body)[:-5]),
    lambda body: (b"", body + SMUGGLED),
]
