"""Makes recordings for the emulator's benches: distinct requests on one URL."""

import json

from emulator.tape.cassette import Interaction, Request, Response

from ..workload import Workload

URI = "https://example-resource.openai.azure.com/openai/v1/chat/completions"
ANSWER = json.dumps({"choices": [{"message": {"role": "assistant", "content": "a word or two " * 100}}]}).encode()


def interactions(count: int) -> list[Interaction]:
    """The last interaction answers the workloads' own request. The others differ from it by one number."""
    asked = json.loads(Workload("", 1, 0).body())
    bodies = [json.dumps({**asked, "seed": number}).encode() for number in range(count - 1)]
    headers = (("content-type", "application/json"),)
    return [
        Interaction(Request("POST", URI, headers, body), Response(200, "OK", headers, ANSWER), f"made up #{number}")
        for number, body in enumerate([*bodies, Workload("", 1, 0).body()], 1)
    ]


def paced(frames: int, every_ms: int) -> Interaction:
    """A stream whose frames carry their due time, in the form that native/load.c reads."""
    asked = Workload("", 1, 0, frames=frames, every_ms=every_ms).body()
    times = tuple(float(every_ms * number) for number in range(1, frames + 1))
    body = b"".join(b'data: {"due": "@+%d@"}\n\n' % (ms * 1_000_000) for ms in times)
    headers = (("content-type", "text/event-stream"), ("transfer-encoding", "chunked"))
    return Interaction(Request("POST", URI, (), asked), Response(200, "OK", headers, body, times), "paced #1")
