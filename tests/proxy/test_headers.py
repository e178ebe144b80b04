"""A header that names a deployment opens none that the administrator did not list. A page of another site reads the
headers of an answer that are named to it."""

import re

import httpx
import pytest

from tests.support import Proxy, RawUpstream, sending

IMAGE = "x-ms-oai-image-generation-deployment"


def ask(running: Proxy, route: str = "responses", **headers: str) -> httpx.Response:
    body = {"model": "gpt-4o-mini", "input": "a green field", "tools": [{"type": "image_generation"}]}
    return httpx.post(f"{running.base_url}/{route}", json=body, headers=running.headers | headers)


@pytest.mark.parametrize(
    ("named", "deployment"),
    [("gpt-4o-mini", "gpt-4o-mini"), ("gpt-4o", "my-4o-deployment"), ("my-4o-deployment", "my-4o-deployment")],
)
def test_the_image_tools_deployment_arrives_by_the_name_that_azure_knows(
    upstream: RawUpstream, behind: Proxy, named: str, deployment: str
) -> None:
    upstream.answer, upstream.arrived = sending(b"{}"), []
    assert ask(behind, **{IMAGE.title(): named}).status_code == 200
    assert upstream.arrived[0].headers[IMAGE] == deployment


@pytest.mark.parametrize("route", ["responses", "chat/completions"])
@pytest.mark.parametrize("named", ["unlisted", "", "GPT-4o", "gpt-4o, unlisted", "gpt-4o-mini/../x", "*"])
def test_a_deployment_that_is_not_listed_is_refused(
    upstream: RawUpstream, behind: Proxy, named: str, route: str
) -> None:
    upstream.arrived = []
    answer = ask(behind, route, **{IMAGE: named})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (404, "model_not_found", IMAGE)
    assert "gpt-4o-mini, gpt-4o" in error["message"]
    assert upstream.arrived == []


def test_what_would_choose_for_all_stays_behind(upstream: RawUpstream, behind: Proxy) -> None:
    upstream.answer, upstream.arrived = sending(b"{}"), []
    names = ["x-ms-spillover-deployment", "azureml-model-deployment", "x-policy-id", "aoai-evals", "x-ms-anything"]
    assert ask(behind, **dict.fromkeys(names, "gpt-4o")).status_code == 200
    assert not {*names} & {*upstream.arrived[0].headers}


@pytest.mark.parametrize(("model", "status"), [("gpt-4o", 200), ("unknown", 404)])
def test_a_page_of_another_site_is_told_what_it_may_read_and_nobody_else_is(
    behind: Proxy, upstream: RawUpstream, model: str, status: int
) -> None:
    upstream.answer = sending(b"{}", b"content-type: application/json", b"vary: Accept-Encoding")
    url, body = f"{behind.base_url}/chat/completions", f'{{"model":"{model}"}}'
    page = httpx.post(url, headers={**behind.headers, "origin": "https://a.example"}, content=body)
    told = page.headers["access-control-expose-headers"].split(", ")
    assert (page.status_code, "Origin" in page.headers["vary"]) == (status, True)
    assert {"x-request-id", "retry-after-ms", "x-ratelimit-remaining-tokens", "server-timing"} <= set(told)
    assert [name for name in told if not re.fullmatch(r"[a-z-]+", name)] == []
    other = httpx.post(url, headers=behind.headers, content=body)
    assert "access-control-expose-headers" not in other.headers
    assert "Origin" not in other.headers.get("vary", "")
