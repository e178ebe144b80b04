"""What ten rules cost a request of 4 KB that has no recording of its own: after its own key, the one that all such
requests share.

`python -m benchmarks.measured.slack` prints the best of several rounds, because others' work only adds."""

import json
import time

from emulator.match import slack
from emulator.tape.canonical import key_of, parse_shared
from emulator.tape.route import parse

from ..compared.contender import CHAT

RULES = {
    "metadata.run": "any",
    "metadata.started": "timestamp",
    "user": "any",
    "messages[*].content": ["date", "uuid", "seconds"],
    "messages[*].tool_call_id": "any",
    "messages[0].content": "time",
    "messages[-1].name": "any",
    "tools[*].function.description": "any",
    "response_format.json_schema.name": "any",
    "prediction.content": "uuid",
}
PROSE = (
    "A keeper repairs the lamp of the lighthouse before the fog reaches the harbour, and writes down what is broken. "
)
MUST = 60  # µs at most
ROUNDS, TIMES = 400, 5  # short rounds, so that some of them have a core to themselves


def request() -> bytes:
    """4 KB: a system prompt with a date, a conversation, tools."""
    contents = ["Today is 2026-11-28, 10:15. " + PROSE * 6, *[PROSE * 5] * 5, "Which run is this? It took 12 seconds."]
    messages = [{"role": "user" if at % 2 else "assistant", "content": text} for at, text in enumerate(contents)]
    tools = [{"type": "function", "function": {"name": "weather", "description": PROSE}}]
    metadata = {"run": "0b6c6a52-2d4c-4c7a-9d7c-1f2e3a4b5c6d", "started": "2026-11-28T10:15:00Z"}
    return json.dumps({"model": "gpt-4o-mini", "messages": messages, "tools": tools, "metadata": metadata}).encode()


def main() -> None:
    rules, route = slack.parse(RULES), parse(CHAT)
    bodies = [request(), request().replace(b"12 seconds", b"13 seconds")]  # one after the other: each is read anew
    assert route
    key = key_of("POST", route, parse_shared(bodies[0]))
    assert rules.key_of(key, parse_shared(bodies[0])) not in (None, key)
    rounds = {"strict": float("inf"), "with ten rules": float("inf")}
    for _ in range(ROUNDS):
        for name in rounds:
            began = time.perf_counter()
            for _ in range(TIMES):
                for body in bodies:
                    key = key_of("POST", route, parse_shared(body))
                    if name != "strict":
                        rules.key_of(key, parse_shared(body))
            rounds[name] = min(rounds[name], 1e6 * (time.perf_counter() - began) / TIMES / len(bodies))
    told = (f"{name}: {best:.1f} µs" for name, best in rounds.items())
    more = rounds["with ten rules"] - rounds["strict"]
    print(f"{len(bodies[0]):,} bytes", *told, f"{more:.1f} µs more (must: {MUST})", sep=", ")


if __name__ == "__main__":
    main()
