"""What is kept of an answer while it passes: its beginning and its end, however long it is."""

from collections import deque

HEAD_BYTES = 4_096  # id and status of a Response, which come before the instructions that it repeats
TAIL_BYTES = 16_384  # usage, and a stream's last events; 1,000 streams at once cost 20 MB at most


class Excerpt:
    """The first HEAD_BYTES and at least the last TAIL_BYTES of an answer; chunks are kept as they came, uncopied."""

    def __init__(self) -> None:
        self.head, self.size = b"", 0
        self.chunks: deque[bytes] = deque()
        self.kept = 0

    def add(self, chunk: bytes) -> None:
        if len(self.head) < HEAD_BYTES:
            self.head += chunk[: HEAD_BYTES - len(self.head)]
        self.size += len(chunk)
        self.kept += len(chunk)
        self.chunks.append(chunk)
        while self.kept - len(self.chunks[0]) >= TAIL_BYTES:
            self.kept -= len(self.chunks.popleft())

    def begin_again(self, text: bytes) -> None:
        """What counts as the beginning is here."""
        self.head = text[:HEAD_BYTES]

    @property
    def tail(self) -> bytes:
        return b"".join(self.chunks)
