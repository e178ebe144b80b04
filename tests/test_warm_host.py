"""A host that starts warm is what a host is that starts as anybody's does."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from emulator.stack import ROOT, HostFailed, HostProcess
from tests.process_state import EVERY
from tests.warm_host import CAN_FORK, COLD, READ_LATER, WarmHost, WarmHosts, warm_hosts

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="hosts start warm on Linux alone")
SETTINGS = {"AZURE_OPENAI_BASE": "https://a.example", "FUNCTION_HOST_KEY": "k"}
ANOTHERS = "AZURE_CLIENT_ID"  # a setting that the warm process has and a host has not


@pytest.fixture(scope="module")
def hosts() -> Iterator[WarmHosts]:
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv(COLD, raising=False)
        patched.setenv("PYTHONHASHSEED", "0")  # else the order of a set is another in each process
        patched.setenv(ANOTHERS, "x")
        with warm_hosts() as started:
            yield started


def environment(hosts: WarmHosts) -> dict[str, str]:
    return {name: value for name, value in hosts.environment.items() if name != ANOTHERS} | SETTINGS


def starting(hosts: WarmHosts, model: str = "m", port: int = 0, **options: Any) -> HostProcess:
    return HostProcess(environment(hosts) | {"AZURE_OPENAI_DEPLOYMENT": model}, port, **options)


def models(host: HostProcess) -> list[str]:
    answer = httpx.get(f"{host.base_url}/models", headers={"x-functions-key": "k"})
    return [model["id"] for model in answer.json()["data"]]


def test_it_is_in_the_state_of_a_cold_one(hosts: WarmHosts) -> None:
    command, given = ["tests.process_state", "--json"], environment(hosts)

    def cold() -> dict[str, Any]:
        whole = [sys.executable, "-m", *command]
        ended = subprocess.run(whole, env=given, cwd=ROOT, input=b"", stdout=subprocess.PIPE, check=True)
        return dict(json.loads(ended.stdout))

    first, second = cold(), cold()
    order = json.dumps({"command": command, "environment": given}).encode()
    host = WarmHost(hosts.orders, order, None)
    with host.stdin, host.stdout:
        warm = json.loads(host.stdout.read())
    assert host.wait(5) == 0
    assert warm["environment"] == given

    early, read = first.pop("early"), first.pop("read")
    assert early == []
    assert [name for name in read if name.startswith((*READ_LATER, EVERY))] == []

    values, others = first.pop("values"), second.pop("values")
    lasting = {name: value for name, value in values.items() if others[name] == value}
    assert len(lasting) > 5_000
    assert {name: warm["values"].get(name) for name in lasting} == lasting
    assert {name: warm[name] for name in first} == first


def test_each_has_its_own_settings(hosts: WarmHosts) -> None:
    with starting(hosts, "one") as one, starting(hosts, "two") as two:
        assert isinstance(one.process, WarmHost)
        assert one.process.pid != two.process.pid
        assert (models(one), models(two)) == (["one"], ["two"])


def test_it_ends_with_its_parent(hosts: WarmHosts) -> None:
    with starting(hosts) as host:
        assert host.process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            host.process.wait(0.01)
    assert host.process.returncode == 0


@pytest.mark.parametrize(("number", "status"), [(signal.SIGKILL, -9), (signal.SIGTERM, 0), (signal.SIGINT, 0)])
def test_a_signal_ends_it(hosts: WarmHosts, number: int, status: int) -> None:
    with starting(hosts) as host:
        host.process.send_signal(number)
        assert host.process.wait(5) == status


def test_its_errors_come_where_a_cold_ones_do(hosts: WarmHosts, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as file, pytest.raises(HostFailed):
        starting(hosts, port=70_000, log=file).__enter__()
    assert log.read_text().startswith("error: Port 70000 on 127.0.0.1 cannot be used")


@pytest.mark.parametrize(
    "other",
    [COLD, "PYTHONPATH", "SSL_CERT_FILE", "HTTPS_PROXY", "OTEL_PROPAGATORS", "LC_ALL", "TZ", "AIOHTTP_NO_EXTENSIONS"],
)
def test_what_counts_before_the_fork_starts_cold(hosts: WarmHosts, other: str) -> None:
    assert hosts.suits(environment(hosts))
    assert not hosts.suits(environment(hosts) | {other: "another"})


def test_a_variable_that_is_not_there_starts_cold(hosts: WarmHosts) -> None:
    assert not hosts.suits({name: value for name, value in environment(hosts).items() if name != "PATH"})


def test_tests_that_are_killed_leave_no_process_behind() -> None:
    code = """if True:
        import os, signal, sys
        from emulator.stack import HostProcess
        from tests.warm_host import warm_hosts
        with warm_hosts() as hosts, HostProcess({**os.environ, "AZURE_OPENAI_BASE": "https://a.example"}, 0) as host:
            print(host.process.pid, hosts.process.pid, flush=True)
            sys.stdin.read()
    """
    given = {name: value for name, value in os.environ.items() if name != COLD}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], env=given, cwd=ROOT, **pipes) as tests:
        assert tests.stdout
        ends = [os.pidfd_open(int(pid)) for pid in tests.stdout.readline().split()]
        tests.kill()
    for end in ends:
        assert select.select([end], [], [], 10)[0]
        os.close(end)
    assert len(ends) == 2
