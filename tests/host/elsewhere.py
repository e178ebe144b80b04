"""The tests that skip the host in HOST_UNDER_TEST, with their reasons."""

from urllib.parse import urlsplit

import pytest

OWN_PROCESS = "does not ask the host under test: it has a process of its own, or none"
LOG = "reads the local host's log"

ANYWHERE_ELSE = {
    "test_the_traceback_of_a_failure_goes_to_the_hosts_log": LOG,
    "test_ready_means_listening_and_names_the_routes_with_their_prefix": "reads what the local host prints",
    "test_a_call_that_azure_would_never_answer_is_a_500_that_says_so": "Azure never answers it",
    "test_a_call_that_would_stay_open_in_the_worker_is_told": "it would stay open, and restart the worker",
    "test_every_answer_has_one_date_and_that_of_a_function_names_the_workers_server": "Microsoft's names Kestrel, too",
    "test_a_small_answer_is_not_held_back": "the way to another machine takes longer",
}
WITHOUT_FLEX = {
    "test_preflights_are_the_platforms": "on Flex Consumption only; elsewhere a preflight is a request like others",
}
BEHIND_A_FRONT_END = dict.fromkeys(
    (
        "test_a_first_line_is_read_as_kestrel_reads_it",
        "test_a_host_that_is_none_is_400",
        "test_a_head_is_read_as_kestrel_reads_it",
        "test_a_header_that_is_no_utf_8_is_refused_at_once",
        "test_a_methods_case_makes_no_difference",
        "test_a_request_line_has_8192_bytes_at_most",
        "test_an_escaped_null_in_a_path_is_400_without_a_body",
        "test_the_function_sees_the_workers_address_and_whom_the_host_forwards_for",
    ),
    "Azure's front end reads it first, and what it makes of it was not measured",
)


def reason_to_skip(item: pytest.Item, url: str) -> str | None:
    """Takes a host on this machine for `func start` or the like, and any other host for a deployed one, on Flex."""
    if "host" not in getattr(item, "fixturenames", ()):
        return OWN_PROCESS
    is_here = urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")
    return (ANYWHERE_ELSE | (WITHOUT_FLEX if is_here else BEHIND_A_FRONT_END)).get(getattr(item, "originalname", ""))
