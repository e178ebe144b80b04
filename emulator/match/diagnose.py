"""Why no recording matched: the nearest recording, the differences, and what to do. The decision and the explanation
use the same canonical form, so that they never disagree."""

import itertools
import json
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from ..bundle import COMMAND, GUIDE
from ..tape.canonical import Key, canonical_body, canonical_json, parse_body, parse_json
from ..tape.document import one_line
from ..tape.form import FORM, fields_of, is_form
from ..tape.interaction import Interaction
from ..tape.leaf import digests_of
from . import path as paths
from .library import Library
from .nearest import Candidate, common_prefix, common_suffix, in_common, shortlist
from .pattern import TooSlow
from .slack import NONE, Slack

HOW = f"To record it: pytest --record-mode=new_episodes, or {COMMAND} record (see {GUIDE})."
VALUE_WIDTH = 60  # characters of each differing value that are shown
CONTEXT = 15  # of these, before the first difference
DIFFERENCES_SHOWN = 3
RULES_SHOWN = 5
CREDENTIALS = ("code", "api-key", "subscription-key")  # of a query; a message ends up in a log
MISSING: Any = object()


class Difference(NamedTuple):
    """A difference between two requests. `path` is a JSON path such as `messages[0].content`, or `?limit` for a part of
    the query. The values are bytes where the bodies are not both JSON, or both forms. What is equal has one value,
    which stands on both sides."""

    path: str
    recorded: Any
    sent: Any

    def __str__(self) -> str:
        recorded, sent = _shown(self.recorded, self.sent)
        return f"recorded {recorded}, sent {sent}"

    @property
    def is_same(self) -> bool:
        return self.recorded is self.sent

    @property
    def weight(self) -> float:
        """1 for each leaf that only one side has. For a changed text, 1 plus the share of the text that is new."""
        old, new = self.recorded, self.sent
        if isinstance(old, str) and isinstance(new, str) and self.path != "model":  # similar model names mean nothing
            return 2 - in_common(old, new) / max(len(old), len(new))
        return max(len(digests_of(old)), len(digests_of(new)), 1)


def explain(key: Key, body: bytes, library: Library) -> str:
    """A message of a few lines for the person whose test just failed."""
    asked = f"{key.method} {key.operation}"
    wanted = one_line(f"No recording matches {asked}" + (f" on {key.deployment}" if key.deployment else ""))
    ranked = nearest_to(key, body, library)
    if not ranked:
        nearest_operation = max(library.operations(), key=lambda one: in_common(one, asked), default=None)
        there_is = f"The nearest is {one_line(nearest_operation)}" if nearest_operation else "There are no recordings"
        return f"{wanted}: none has this operation. {there_is}.\n{HOW}"
    _, nearest, candidate = ranked[0]
    head = f"{wanted}. The nearest is {one_line(candidate.interaction.label)}"
    after = "\n".join([*ignored(candidate.slack, body), HOW])
    if len(nearest) == 1:
        return f"{head}; only {one_line(nearest[0].path)} differs: {nearest[0]}\n{after}"
    lines = [f"  {one_line(difference.path)}: {difference}" for difference in nearest[:DIFFERENCES_SHOWN]]
    if len(nearest) > len(lines):
        lines.append(f"  and {len(nearest) - len(lines)} more")
    return "\n".join([f"{head}, which differs at", *lines, after])


class Near(NamedTuple):
    """A recording that does not answer, what it differs in, and how much that is."""

    weight: float
    differences: list[Difference]
    candidate: Candidate


def nearest_to(key: Key, body: bytes, library: Library) -> list[Near]:
    """The nearest recordings of the same operation, the one with the least weight first."""
    near = shortlist(key, body, parse_body(body), library.candidates(key))
    found = [(differing(candidate, key, body), candidate) for candidate in near]
    ranked = [Near(sum(one.weight for one in differ), differ, candidate) for differ, candidate in found]
    return sorted(ranked, key=lambda one: one.weight)


def differing(candidate: Candidate, key: Key, body: bytes, with_same: bool = False) -> list[Difference]:
    """What a recording and a request for it differ in, without what may vary; with it, where that is too slow to find,
    or a text has of itself what would stand in its place. `with_same`: what is equal as well, in order."""
    recorded, interaction, slack = candidate.meaning.key, candidate.interaction, candidate.slack
    with suppress(TooSlow):
        found = list(differences(recorded, interaction, key, body, slack, with_same))
        if not all(one.is_same for one in found):
            return found
    return list(differences(recorded, interaction, key, body, with_same=with_same))


def ignored(slack: Slack, body: bytes) -> Iterator[str]:
    """A line that says what the request may vary in."""
    try:
        rules = [*map(str, slack.meets(parse_body(body)))]
    except TooSlow as error:
        yield one_line(f"Nothing was ignored: {error}.")
        return
    if rules:
        more = f" and {len(rules) - RULES_SHOWN} more" if len(rules) > RULES_SHOWN else ""
        yield f"Ignored as declared: {one_line(', '.join(rules[:RULES_SHOWN]))}{more}."


def differences(
    recorded: Key, interaction: Interaction, key: Key, body: bytes, slack: Slack = NONE, with_same: bool = False
) -> Iterator[Difference]:
    """What a recording of an operation and a request for it differ in. Raises TooSlow."""
    for name in dict(recorded.query + key.query):
        values = [[value for other, value in one.query if other == name] for one in (recorded, key)]
        if values[0] != values[1]:
            if name.lower() in CREDENTIALS:
                values = [["hidden"] * bool(value) for value in values]
            yield Difference(f"?{name}", *(value[0] if len(value) == 1 else value or MISSING for value in values))
    old, new = parse_body(interaction.request.body), parse_body(body)
    if _kind(old) != _kind(new):
        yield Difference("the body", interaction.request.body, body)
        return
    without = set[str]()
    if recorded.deployment != key.deployment:
        yield Difference("model", recorded.deployment or _model(old), key.deployment or _model(new))
        without.add("model")
    compared = [_without(parsed, without) for parsed in (old, new)]
    masked = [slack.masked(one) for one in compared] if slack else compared
    yield from json_differences(masked[0], masked[1], with_same=with_same)


def json_differences(recorded: Any, sent: Any, path: str = "", with_same: bool = False) -> Iterator[Difference]:
    """The differences, as deep as possible. Lists are compared from both ends: one more item is one difference.
    `with_same`: also what is equal, as a whole."""
    if with_same and type(recorded) is type(sent) and _is_same(recorded, sent):
        yield Difference(path or "the body", sent, sent)
    elif type(recorded) is dict and type(sent) is dict:
        for name in dict.fromkeys([*recorded, *sent]):
            inner = paths.below(path, name)
            yield from json_differences(recorded.get(name, MISSING), sent.get(name, MISSING), inner, with_same)
    elif type(recorded) is list and type(sent) is list:
        old, new = [canonical_json(item) for item in recorded], [canonical_json(item) for item in sent]
        start = common_prefix(old, new)
        end = common_suffix(old[start:], new[start:])
        rest = (recorded[start : len(old) - end], sent[start : len(new) - end])
        if with_same:
            yield from (Difference(f"{path}[{index}]", item, item) for index, item in enumerate(sent[:start]))
        for index, pair in enumerate(itertools.zip_longest(*rest, fillvalue=MISSING), start):
            yield from json_differences(*pair, f"{path}[{index}]", with_same)
        if with_same:
            after = len(new) - end
            yield from (Difference(f"{path}[{index}]", item, item) for index, item in enumerate(sent[after:], after))
    elif type(recorded) is not type(sent) or not _is_same(recorded, sent):
        yield Difference(path or "the body", recorded, sent)


def _kind(parsed: Any) -> str:
    """Where this differs, nothing inside can be compared."""
    return "bytes" if type(parsed) is bytes else FORM if is_form(parsed) else "JSON"


def _is_same(old: Any, new: Any) -> bool:
    return bool(old == new if type(old) is bytes else old is new or canonical_json(old) == canonical_json(new))


def _model(parsed: Any) -> Any:
    return parsed.get("model", MISSING) if type(parsed) is dict else MISSING


def _without(parsed: Any, names: set[str]) -> Any:
    compared = canonical_body(parsed)
    return {k: v for k, v in compared.items() if k not in names} if type(compared) is dict else compared


def _shown(old: Any, new: Any) -> tuple[str, str]:
    """Both values, cut to one line that shows where they differ."""
    if type(old) is bytes and type(new) is bytes:
        return _shown_bytes(old, new), _shown_bytes(new, old)
    if type(old) is not str or type(new) is not str:
        return _shown_value(old), _shown_value(new)
    same = common_prefix(old, new)
    at = max(0, same - CONTEXT) if max(len(old), len(new)) > VALUE_WIDTH else 0
    pieces = [_cut(text, at) for text in (old, new)]
    alike = len({unicodedata.normalize("NFKC", piece) for piece in pieces}) == 1  # to the eye
    return _quoted(pieces[0], alike), _quoted(pieces[1], alike)


def _shown_bytes(body: bytes, other: bytes) -> str:
    if not body:
        return "no body"
    if fields := fields_of(body):
        names = ", ".join(name for name in fields if name != FORM)
        return f"a form ({one_line(names, VALUE_WIDTH)})"
    try:
        parse_json(body)
        return "JSON"
    except ValueError as error:
        reason = str(error).split(": line")[0]
    at = max(0, common_prefix(body, other) - CONTEXT)
    try:
        shown = _quoted(_cut(body.decode(), at))
    except UnicodeDecodeError:
        shown = _cut(body.hex(), 2 * at)
    return f"{len(body):,} bytes that are no JSON ({reason}): {shown}"


def _shown_value(value: Any) -> str:
    if value is MISSING:
        return "nothing"
    if type(value) is str:
        return _quoted(_cut(value))
    return one_line(json.dumps(value, ensure_ascii=False), VALUE_WIDTH)


def _cut(text: str, at: int = 0) -> str:
    rest = text[at : at + VALUE_WIDTH]
    return ("…" if at else "") + rest + ("…" if at + VALUE_WIDTH < len(text) else "")


def _quoted(text: str, escaped: bool = False) -> str:
    return one_line(json.dumps(text, ensure_ascii=escaped), 10 * VALUE_WIDTH)
