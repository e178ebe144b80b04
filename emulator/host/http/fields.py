"""The header fields of a request, and what several parts of the host ask of them, found once."""

from itertools import chain

Headers = list[tuple[bytes, bytes]]
AROUND_A_FIELD = len(": \r\n")


class Fields:
    """`given` are the fields in order, with their names in lower case. `first` maps each name to its first value,
    `last` to its last. `repeat` says whether two fields have one name. `text` is all names and values without a break,
    so that one look at it tells what no field has."""

    __slots__ = ("first", "given", "last", "repeat", "text")

    def __init__(self, given: Headers) -> None:
        self.given, self.last = given, dict(given)
        self.repeat = len(self.last) < len(given)
        self.first = dict(reversed(given)) if self.repeat else self.last
        self.text = b"".join(chain.from_iterable(given))
