"""The function checks every setting and names every bad one. Calls go where the settings say."""

import pytest

from proxy.address import upstream_url
from proxy.settings import Settings, is_azure_base

GOOD = {"AZURE_OPENAI_BASE": "https://res.openai.azure.com", "AZURE_OPENAI_DEPLOYMENT": "gpt-4o-mini"}


def settings(**changes: str) -> Settings:
    return Settings.from_env(GOOD | {f"AZURE_OPENAI_{name.upper()}": value for name, value in changes.items()})


@pytest.mark.parametrize(
    "base",
    [
        "https://res.openai.azure.com",
        "https://res.services.ai.azure.com:443",
        "https://gateway.example.edu/lab-7",
        "http://127.0.0.1:8080",
        "http://localhost:8080",
        "http://[::1]:8080",
    ],
)
def test_a_good_base_is_accepted(base: str) -> None:
    assert is_azure_base(base)


@pytest.mark.parametrize(
    "base",
    [
        "",
        "res.openai.azure.com",
        "http://res.openai.azure.com",
        "http://127.0.0.1.evil.example",
        "https://",
        "https://user:pass@res.openai.azure.com",
        "https://res.openai.azure.com/openai/v1",
        "https://res.openai.azure.com/openai",
        "https://res.openai.azure.com?api-version=2024-10-21",
        "https://res.openai.azure.com#x",
        "https://res.openai.azure.com:port",
        "https://[::1",
        "https://res.openai.azure.com/a b",
        "https://rés.openai.azure.com",
    ],
)
def test_a_bad_base_is_refused(base: str) -> None:
    assert not is_azure_base(base)


def test_every_bad_setting_is_named_at_once() -> None:
    bad = {
        "AZURE_OPENAI_BASE": "x",
        "AZURE_OPENAI_DEPLOYMENT": "",
        "AZURE_OPENAI_API_VERSION": "latest",
        "AZURE_OPENAI_SCOPE": "cognitive",
        "PROXY_MAX_OUTPUT_TOKENS": "many",
        "PROXY_ALLOW_STORE": "no",
        "PROXY_MAX_BODY_MB": "-1",
        "PROXY_KEY_SALT": "short",
        "PROXY_SIGNING_KEY": "short",
        "PROXY_USAGE_TABLE": "usage",
        "PROXY_KEEPALIVE_SECONDS": "often",
        "PROXY_HEALTH": "yes",
    }
    assert [problem.split()[0] for problem in Settings.from_env(bad).problems] == list(bad)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("PROXY_HEALTH", value) for value in ("yes", "1", "up")],
        *[("PROXY_MAX_OUTPUT_TOKENS", value) for value in ("0", "-1", "1e3", "1,000", "1.5", "٣", "1" * 20)],
        *[("PROXY_ALLOW_STORE", value) for value in ("no", "0", "falsch")],
        *[("PROXY_MAX_BODY_MB", value) for value in ("0", "100.1", "1e1", "nan", "inf", "0.0000001", "ten")],
        ("PROXY_KEY_SALT", "fifteen letters"),
        *[
            ("PROXY_USAGE_TABLE", value)
            for value in (
                *("usage", "http://account.table.core.windows.net/usage", "https://account.table.core.windows.net"),
                *(
                    "https://account.table.core.windows.net/usage?sv=x&sig=y",
                    "https://a@b.example/usage",
                    "https://a/1x",
                ),
                *("UseDevelopmentStorage=true", "AccountName=x;AccountKey=y", "https://a.example/usage/x"),
            )
        ],
        *[("PROXY_SIGNING_KEY", value) for value in ("x", "31 characters, which is too few", "12345678" * 4 + ",x")],
        ("PROXY_SIGNING_KEY", "a" * 40),
        ("PROXY_SIGNING_KEY", "@Microsoft.KeyVault(VaultName=my-vault;SecretName=signing-key)"),  # as it is, unresolved
        *[("PROXY_KEEPALIVE_SECONDS", value) for value in ("-1", "200.1", "1e1", "nan", "inf", "off", "٣")],
    ],
)
def test_a_guard_rail_that_makes_no_sense_is_refused(name: str, value: str) -> None:
    (problem,) = Settings.from_env(GOOD | {name: value}).problems
    assert problem.startswith(name)


def test_guard_rails_are_off_by_default() -> None:
    read = settings()
    assert (read.max_output_tokens, read.allow_store, read.max_body_bytes) == (None, True, 100_000_000)
    assert (read.signing_keys, read.revoked_keys, read.health) == ((), (), False)


def test_a_list_of_signing_keys_rotates() -> None:
    keys = {
        "PROXY_SIGNING_KEY": " 0123456789abcdef0123456789abcdef , 00112233445566778899aabbccddeeff,",
        "PROXY_REVOKED_KEYS": "Eve,, id-1 ",
    }
    read = Settings.from_env(GOOD | keys)
    assert read.problems == ()
    assert read.signing_keys == ("0123456789abcdef0123456789abcdef", "00112233445566778899aabbccddeeff")
    assert read.revoked_keys == ("Eve", "id-1")


@pytest.mark.parametrize(("value", "seconds"), [("", 20), (" ", 20), ("0", 0), ("0.5", 0.5), ("200", 200)])
def test_a_stream_is_kept_alive_every_so_many_seconds(value: str, seconds: float) -> None:
    read = Settings.from_env(GOOD | {"PROXY_KEEPALIVE_SECONDS": value})
    assert (read.problems, read.keepalive_seconds) == ((), seconds)


def test_a_network_proxy_that_is_none_is_named_among_the_problems() -> None:
    (problem,) = Settings.from_env(GOOD | {"HTTPS_PROXY": "socks5://user:secret@proxy"}).problems
    assert problem.startswith("HTTPS_PROXY")


def test_guard_rails_mean_what_they_say() -> None:
    chosen = {"PROXY_MAX_OUTPUT_TOKENS": "2000", "PROXY_ALLOW_STORE": " False ", "PROXY_MAX_BODY_MB": "0.5"}
    read = Settings.from_env(GOOD | chosen)
    assert read.problems == ()
    assert (read.max_output_tokens, read.allow_store, read.max_body_bytes) == (2_000, False, 500_000)


@pytest.mark.parametrize("listed", ["", " , ", "a,a", "a=b c", "=b", "a=../b", "a=x?y"])
def test_a_deployment_list_that_makes_no_sense_is_refused(listed: str) -> None:
    assert settings(deployment=listed).problems


def test_a_trailing_slash_and_blanks_do_no_harm() -> None:
    read = settings(base=" https://res.openai.azure.com/ ", deployment=" gpt-4o-mini , gpt-4o = my-4o ")
    assert read.problems == ()
    assert read.base == "https://res.openai.azure.com"
    assert read.deployments == {"gpt-4o-mini": "gpt-4o-mini", "gpt-4o": "my-4o"}


DATED = "https://res.openai.azure.com/openai/deployments/dep/chat/completions?api-version="
V1 = "https://res.openai.azure.com/openai/v1/"


@pytest.mark.parametrize(
    ("version", "route", "url"),
    [
        ("", "chat/completions", V1 + "chat/completions"),
        ("v1", "responses", V1 + "responses"),
        ("preview", "responses", V1 + "responses?api-version=preview"),
        ("2024-05-01-preview", "chat/completions", DATED + "2024-05-01-preview"),
        ("2024-05-01-preview", "responses", V1 + "responses"),  # the documented default has no Responses API
        ("2024-05-01-preview", "responses/{response_id}/cancel", V1 + "responses/resp_1/cancel"),
        ("2024-10-21", "responses", V1 + "responses"),
        (
            *("2025-03-01-preview", "responses"),
            "https://res.openai.azure.com/openai/responses?api-version=2025-03-01-preview",
        ),
        (
            *("2025-04-01-preview", "responses/{response_id}"),
            "https://res.openai.azure.com/openai/responses/resp_1?api-version=2025-04-01-preview",
        ),
        ("2025-04-01-preview", "chat/completions", DATED + "2025-04-01-preview"),
    ],
)
def test_the_api_version_decides_where_a_call_goes(version: str, route: str, url: str) -> None:
    assert upstream_url(settings(api_version=version), route, {"response_id": "resp_1"}, "dep", "") == url


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("include%5B%5D=a&include%5B%5D=b%2Fc~d%7E", "?include%5B%5D=a&include%5B%5D=b%2Fc~d%7E"),
        ("code=KEY&limit=2", "?limit=2"),
        ("Code=KEY&c%6Fde=KEY&clientId=me&api-version=2020-01-01", ""),
        ("a=1&&b", "?a=1&b"),
        ("coder=1", "?coder=1"),
    ],
)
def test_the_raw_query_survives_without_the_hosts_own_names(query: str, kept: str) -> None:
    assert upstream_url(settings(), "responses", {}, None, query) == V1 + "responses" + kept
