"""Merges a recording into a cassette. Changed answers are replaced, and all others stay as and where they are."""

import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from ..match.slack import NONE, Slack
from ..tape.canonical import Key, key_of, parse_body
from ..tape.cassette import Interaction
from ..tape.route import parse

SAME_SCHEDULE_MS = 10.0  # the precision of a replay; a smaller difference is none


def merged(old: Sequence[Interaction], new: Sequence[Interaction], slack: Slack, replacing: bool) -> list[Interaction]:
    """`old` followed by `new`; where `replacing`, a new answer takes the place of the old one to the same request (the
    first of several that of the first), and old answers too many are dropped."""
    fresh = defaultdict[Key | str, list[Interaction]](list)
    for interaction in new:
        fresh[identity(interaction, slack)].append(interaction)
    asked_again = set(fresh) if replacing else set[Key | str]()
    kept = list[Interaction]()
    for interaction in old:
        key = identity(interaction, slack)
        if key not in asked_again:
            kept.append(interaction)
        elif fresh[key]:
            kept.append(unless_same(interaction, fresh[key].pop(0)))
    left = {id(interaction) for interactions in fresh.values() for interaction in interactions}
    return kept + [interaction for interaction in new if id(interaction) in left]


def identity(interaction: Interaction, slack: Slack = NONE) -> Key | str:
    """What the library matches by, or the address where that is none of Azure OpenAI's."""
    request = interaction.request
    route, parsed = parse(request.uri), parse_body(request.body)
    if route is None:
        return f"{request.method} {request.uri}"
    key = key_of(request.method, route, parsed)
    return slack.key_of(key, parsed) or key


def unless_same(old: Interaction, new: Interaction) -> Interaction:
    """The old recording when the new one differs by a few milliseconds only, or else the new one."""
    before, after = old.response, new.response
    timeless = replace(after, frame_at_ms=before.frame_at_ms)
    if timeless != before or old.request != new.request or len(before.frame_at_ms) != len(after.frame_at_ms):
        return new
    late = [abs(then - now) for then, now in zip(before.frame_at_ms, after.frame_at_ms, strict=True)]
    return old if statistics.median(late or [0.0]) <= SAME_SCHEDULE_MS else new
