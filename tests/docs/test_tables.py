"""The tables of docs/ are complete, and agree with the code."""

import inspect
import re
from collections.abc import Iterator

import pytest

import function_app
from emulator import pytest_plugin
from emulator.recording.mode import MODES
from emulator.recording.options import OPTIONS
from proxy import address, headers
from proxy.errors import ERRORS
from proxy.fields import Fields
from proxy.settings import DEFAULT_SCOPE, MAX_BODY_BYTES, Settings
from proxy.upstream import READ_SECONDS
from tests.pages import text_of


def first_cells(page: str) -> Iterator[str]:
    return (cell for cell in re.findall(r"^\| ([^|]+?) \|", text_of(page), re.MULTILINE) if "`" in cell)


def names_in(page: str) -> set[str]:
    """What the first cells of a page's tables name."""
    return {name for cell in first_cells(page) for name in re.findall(r"`(\w+)`", cell)}


def test_every_error_of_the_proxy_has_a_row() -> None:
    listed = set(re.findall(r"^\| (\d{3}) `(\w+)`", text_of("docs/troubleshooting.md"), re.MULTILINE))
    assert {(str(status), code) for code, (status, *_) in ERRORS.items()} <= listed
    assert {code for _, code in listed} - set(ERRORS) == {"no_recorded_interaction"}


def test_every_setting_that_is_read_has_a_row() -> None:
    read = set(re.findall(r'"((?:AZURE|PROXY)_[A-Z_]+)"', inspect.getsource(Settings)))
    assert read == {name for name in names_in("docs/settings.md") if name.startswith(("AZURE_", "PROXY_"))}


def test_every_field_of_a_record_has_a_row() -> None:
    assert names_in("docs/usage.md") == set(Fields.__struct_fields__)


def test_every_route_has_a_row() -> None:
    text = text_of("docs/clients.md")
    for methods, route in function_app.FORWARDED.values():
        named = re.sub(r"\{\w+_id\}", "{id}", route)
        assert re.search(rf"`(GET|POST|DELETE)?[^`|]*{re.escape(named)}`", text), route
        assert all(f"`{method}" in text for method in methods)


def test_what_is_passed_on_and_dropped_is_named() -> None:
    text = text_of("docs/how-it-works.md").lower()
    passed, dropped = re.findall(r"^\| (?:passed on as it is|dropped) \| .*", text, re.MULTILINE)
    assert all(f"`{prefix.decode()}*`" in passed for prefix in headers.REQUEST_HEADER_PREFIXES)
    hop_by_hop = b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer upgrade"
    own = headers.RESPONSE_HEADERS_DROPPED - {*hop_by_hop.split(), b"transfer-encoding", b"set-cookie"}
    assert all(f"`{name}`" in dropped for name in [*address.QUERY_DROPPED, *(name.decode() for name in own)])


@pytest.mark.parametrize(
    ("page", "row"),
    [
        ("troubleshooting", rf"413 `request_too_large` \| more than {MAX_BODY_BYTES:,} bytes"),
        ("troubleshooting", rf"504 `upstream_timeout` \| nothing from Azure for {READ_SECONDS:.0f} seconds"),
        ("settings", rf"`AZURE_OPENAI_SCOPE` \| `{re.escape(DEFAULT_SCOPE)}`"),
        ("settings", rf"`{address.RESPONSES_SINCE}-preview` and later \| that dated version \| that dated"),
    ],
)
def test_limits_and_defaults_are_the_codes_own(page: str, row: str) -> None:
    assert re.search(rf"^\| {row}", text_of(f"docs/{page}.md"), re.MULTILINE)


def test_every_record_mode_has_a_row_and_every_option_is_named() -> None:
    text = text_of("docs/recording.md")
    assert set(MODES) <= names_in("docs/recording.md")
    assert not [option for option in OPTIONS if f"`{option}" not in text]


def test_every_fixture_and_marker_of_the_plugin_is_named() -> None:
    source, text = inspect.getsource(pytest_plugin), text_of("docs/testing.md") + text_of("docs/recording.md")
    fixtures = set(re.findall(r"@pytest\.fixture(?:\([^)]*\))?\n(?:async )?def (\w+)", source))
    inner = {"aoai_emulator_server", "aoai_clean_environment", "aoai_clean_environment_first"}
    markers = re.findall(r'^        "(\w+)(?:\(\w+\))?: ', source, re.MULTILINE)
    assert inner < fixtures
    assert markers
    assert not [name for name in fixtures - inner if f"`{name}`" not in text]
    assert not [name for name in markers if f"pytest.mark.{name}" not in text]
