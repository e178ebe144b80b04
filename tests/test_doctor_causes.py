"""The doctor names what may go wrong with a deployment in Azure."""

import json
import re
import socket
from typing import Any

import pytest

from emulator.doctor import examination
from emulator.doctor.examination import OLD, SILENCE
from emulator.doctor.refusal import BY_STATUS, NO_DEPLOYMENT, OTHER, QUOTA, ROLE
from emulator.doctor.troubleshooting import meaning_of
from proxy.errors import ProxyError
from proxy.refusal import refusal
from tests.doctor_support import Refuse, azure, error, examined, results
from tests.support import Arrived, raw_upstream

MODELS = b'{"data": [{"id": "m"}]}'
MISSING = ProxyError("not_found", "POST", "/api/v1/responses", "", "/api/v1", "models").body.decode()
NO_ROLE = refusal(401, b"PermissionDenied", "").body.decode()


@pytest.mark.parametrize(("unanswered", "result"), [(9, "problem"), (1, "ok")])
def test_silence_where_azure_is_not_asked_is_named(
    monkeypatch: pytest.MonkeyPatch, unanswered: int, result: str
) -> None:
    monkeypatch.setattr(examination, "SILENCE_SECONDS", 0.3)
    with raw_upstream() as upstream:

        def answer(_: Arrived, sock: socket.socket) -> None:
            if len(upstream.arrived) > unanswered:
                sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(MODELS), MODELS))

        upstream.answer = answer
        checks = examined(upstream.base, calls=False)
    assert checks["health"].result == result
    assert checks["health"].meaning == (meaning_of(SILENCE) if result == "problem" else "")
    assert len(upstream.arrived) == (2 if result == "problem" else 3)


def test_an_old_deployment_that_does_not_find_responses_is_named() -> None:
    with azure(lambda route, _: (404, MISSING) if route == "responses" else None) as (base, _):
        checks = examined(base)
    assert results(checks) | {"stream": ""} == {"chat": "ok", "stream": "", "responses": "problem"}
    assert checks["responses"].meaning == meaning_of(OLD)


@pytest.mark.parametrize(
    ("status", "body", "cause"),
    [
        (500, "", BY_STATUS[500]),
        (404, "", BY_STATUS[404]),
        (410, error("Gone", code="Gone"), NO_DEPLOYMENT),
        (410, '{"message": "The model was retired."}', NO_DEPLOYMENT),
        (404, error("The model `gpt-4-0314` has been deprecated", code="model_not_found"), NO_DEPLOYMENT),
        (404, error("no", code="DeploymentNotFound"), NO_DEPLOYMENT),
        (429, error("Slow down", code=None), QUOTA),
        (401, error("Principal does not have access to API/Operation.", code="PermissionDenied"), ROLE),
        (401, error("The principal `x` lacks the required data action `y` to perform `POST z` operation."), ROLE),
        (401, '{"statusCode":401,"message":"Unauthorized. Access token is missing, invalid or have expired."}', ROLE),
        (403, error("Access denied due to Virtual Network/Firewall rules.", code="403"), ROLE),
        (403, error("Public access is disabled. Please configure private endpoint.", code="403"), ROLE),
        (502, NO_ROLE, ROLE),
        (400, error("API version not supported", code="BadRequest"), OTHER),
        (
            400,
            error("Model o1 is enabled only for api versions 2024-12-01-preview and later", code="BadRequest"),
            OTHER,
        ),
        (404, error("Resource not found", code="404"), OTHER),
        (400, error("Invalid token. For more information see the documentation below."), OTHER),
    ],
)
def test_the_cause_of_a_refusal_is_named(status: int, body: str, cause: str) -> None:
    with azure(lambda route, _: (status, body) if route == "chat/completions" else None) as (base, _):
        checks = examined(base)
    assert checks["chat"].result == "problem"
    assert checks["chat"].meaning == meaning_of(cause)


SHAPES = [
    error("no", code=None, type=None),
    error("no"),
    error("no", code=400),
    '{"error": {"code": null, "message": null}}',
    '{"error": {"code": null, "message": {"inner": "no"}}}',
    '{"error": {}}',
    '{"error": null}',
    '{"error": "no"}',
    '{"error": ["no"]}',
    '{"message": "no"}',
    '{"detail": [{"msg": "no"}]}',
    '{"error": {"message": "\\ud800"}}',
    "[" * 50_000,
    "null",
    "7",
    '"no"',
    "no",
    "<html>no</html>",
    " ",
]


@pytest.mark.parametrize("body", SHAPES)
@pytest.mark.parametrize("status", [400, 404, 500])
def test_an_error_of_any_shape_is_told_without_what_it_does_not_say(body: str, status: int) -> None:
    with azure(lambda route, _: (status, body)) as (base, _):
        checks = examined(base)
    assert results(checks) == {"chat": "problem", "stream": "problem", "responses": "problem"}
    assert re.match(rf"{status}( 400)?: |{status} with", checks["chat"].found)
    assert not checks["chat"].found.startswith("400 400")
    assert "None" not in checks["chat"].found
    checks["chat"].found.encode()


def passing_after(calls: int) -> Refuse:
    """A role that Azure does not know yet: it refuses so many times."""
    left = [calls]

    def refuse(route: str, asked: dict[str, Any]) -> tuple[int, str] | None:
        left[0] -= 1
        return (502, NO_ROLE) if left[0] >= 0 else None

    return refuse


@pytest.mark.parametrize(("wait", "result"), [(1.0, "ok"), (0.0, "problem")])
def test_a_role_that_is_on_its_way_is_waited_for(monkeypatch: pytest.MonkeyPatch, wait: float, result: str) -> None:
    monkeypatch.setattr(examination, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(examination, "AT_ONCE_SECONDS", 0.0)
    with azure(passing_after(3)) as (base, bodies):
        checks = examined(base, wait=wait)
    assert checks["chat"].result == result
    assert len(bodies) == (6 if wait else 1)


def test_what_is_waited_for_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "PAUSE_SECONDS", 0.01)
    with azure(passing_after(3)) as (base, _):
        told = list(examination.Doctor(f"{base}/api/v1", "a-key", wait=1.0).examine())
    said = [check for check in told if check.name == "chat"]
    assert [check.result for check in said] == ["note", "ok"]
    assert "upstream_authentication_error" in said[0].found
    assert "waiting" in said[0].found


def test_waiting_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "PAUSE_SECONDS", 0.01)
    with azure(lambda *_: (404, json.dumps({"error": {"code": "DeploymentNotFound", "message": "no"}}))) as (
        base,
        bodies,
    ):
        checks = examined(base, wait=0.01)
    assert results(checks) == {"chat": "problem", "stream": "note", "responses": "note"}
    assert len(bodies) > 1
