"""Two recordings of one cassette that differ in a date or an id alone: which line lets one recording answer both."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from ..match import path as paths
from ..match.path import EACH, Path
from ..match.pattern import NAMED, TooSlow
from ..match.slack import ANY, Slack, SlackError, parse
from ..tape.canonical import canonical_body, parse_body
from ..tape.interaction import Interaction
from .merge import identity

LOOKED_AT = 50  # earlier recordings, from the last
ID = re.compile(r"(?=\D*\d)[\w.:-]{1,100}", re.ASCII)  # one word with a digit


def proposal(recorded: Sequence[Interaction], new: Sequence[Interaction], slack: Slack) -> str:
    """What to declare in a cassette that holds `recorded`, the `new` ones among them; empty where nothing is to be
    proposed."""
    rules, pairs = dict[str, list[str]](), 0
    for interaction in new:
        others = [other for other in recorded if other is not interaction][-LOOKED_AT:]
        found = next(filter(None, (_between(other, interaction, slack) for other in reversed(others))), {})
        pairs += bool(found)
        for where, names in found.items():
            rules[where] = list(dict.fromkeys([*rules.get(where, []), *names]))
    if not rules:
        return ""
    told = {where: names[0] if len(names) == 1 else ANY if ANY in names else names for where, names in rules.items()}
    asked = "1 request differs" if pairs == 1 else f"{pairs} requests differ"
    line = ", ".join(f"{json.dumps(where, ensure_ascii=False)}: {_yaml(what)}" for where, what in told.items())
    return (
        f"{asked} from another of this cassette in a date or an id alone.\n"
        f"  So that one recording answers both, write below x-emulator on top of the cassette:\n  slack: {{{line}}}"
    )


def _between(old: Interaction, new: Interaction, slack: Slack) -> dict[str, list[str]] | None:
    """What has to vary, so that the two are one request; None where that is more than dates and ids, or nothing."""
    one, other = (identity(interaction, slack) for interaction in (old, new))
    if one == other or isinstance(one, str) or isinstance(other, str) or one[:-1] != other[:-1]:
        return None
    try:
        bodies = [slack.masked(canonical_body(parse_body(one.request.body))) for one in (old, new)]
    except TooSlow:
        return None
    rules = dict[str, list[str]]()
    for path, before, after in _differences(bodies[0], bodies[1], ()):
        names = _names(before, after)
        if names is None:
            return None
        where = paths.written(path)
        rules[where] = list(dict.fromkeys([*rules.get(where, []), *names]))
    try:
        parse(rules)
    except SlackError:  # what is asked, and no date in it
        return None
    return rules


def _differences(old: Any, new: Any, path: Path) -> Iterator[tuple[Path, Any, Any]]:
    if type(old) is dict and type(new) is dict and old.keys() == new.keys():
        for name in old:
            yield from _differences(old[name], new[name], (*path, name))
    elif type(old) is list and type(new) is list and len(old) == len(new):
        for before, after in zip(old, new, strict=True):
            yield from _differences(before, after, (*path, EACH))
    elif type(old) is not type(new) or old != new:
        yield path, old, new


def _names(old: Any, new: Any) -> list[str] | None:
    """The fewest patterns that make two texts the same, or ANY for two ids."""
    if type(old) is not str or type(new) is not str:
        return None
    met = [name for name in NAMED if _same(old, new, [name])]
    if met:
        return met[:1]
    if _same(old, new, [*NAMED]):
        names = [*NAMED]
        for name in NAMED:
            fewer = [other for other in names if other != name]
            names = fewer if _same(old, new, fewer) else names
        return names
    return [ANY] if ID.fullmatch(old) and ID.fullmatch(new) else None


def _same(old: str, new: str, names: list[str]) -> bool:
    slack = parse({"text": names})
    return bool(slack.masked({"text": old}) == slack.masked({"text": new}))


def _yaml(what: str | list[str]) -> str:
    return what if isinstance(what, str) else f"[{', '.join(what)}]"
