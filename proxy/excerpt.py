"""What is kept of an answer while it passes: its beginning and its end, however long it is."""

HEAD_BYTES = 4_096  # id and status of a Response, which come before the instructions that it repeats
TAIL_BYTES = 12_288  # usage, and after it up to 16 pairs of metadata; 1,000 streams at once cost 28 MB at most


class Excerpt:
    """The first HEAD_BYTES and at least the last TAIL_BYTES of what was added."""

    def __init__(self) -> None:
        self.head = b""  # empty while the tail has everything
        self.chunks: list[bytes] = []
        self.kept = 0

    def add(self, chunk: bytes) -> None:
        self.chunks.append(chunk)
        self.kept += len(chunk)
        if self.kept > 2 * TAIL_BYTES:
            kept = self.tail
            self.head = self.head or kept[:HEAD_BYTES]
            self.chunks, self.kept = [kept[-TAIL_BYTES:]], TAIL_BYTES

    def begin_again(self, text: bytes) -> None:
        """As if nothing had come before this."""
        self.head, self.chunks, self.kept = b"", [], 0
        self.add(text)

    @property
    def tail(self) -> bytes:
        return b"".join(self.chunks)
