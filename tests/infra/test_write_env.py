"""After `azd deploy`, .env has the URL, the key and its old lines. The hook says whether the deployment runs."""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from emulator.stack import ROOT

SHELLS = {"sh": "write-env.sh", "pwsh": "write-env.ps1"}
KEY = "the-key=="
BEFORE = "# mine: für alle\nOTHER=1\nexport PROXY_BASE_URL=https://old\nMY_PROXY_BASE_URL=2\nFUNCTION_HOST_KEY=old"
KEPT = "# mine: für alle\nOTHER=1\nMY_PROXY_BASE_URL=2\n"
OUTPUTS = {
    "PROXY_KEY_COMMAND": "az functionapp keys list --name func-x",
    "AZURE_SUBSCRIPTION_ID": "sub-x",
    "AZURE_RESOURCE_GROUP": "rg-x",
    "AZURE_FUNCTION_APP": "func-x",
}
GIVES_A_KEY = f'echo "$@" >>"$HOME/asked"; echo {KEY}'
GIVES_NONE = 'echo "$@" >>"$HOME/asked"; echo host is starting >&2; exit 1'
RUNS = (200, "{}")


def error(status: int, code: str) -> tuple[int, str]:
    return status, f'{{"error": {{"code": "{code}"}}}}'


ENDS = {  # case: (answer to `GET models`, answer to the call that reaches Azure, whether the hook succeeds, its words)
    "it runs": (RUNS, error(404, "not_found"), True, "It runs.\n"),
    "no role": (RUNS, error(502, "upstream_authentication_error"), True, "the role needs five"),
    "no identity": (RUNS, error(502, "identity_unavailable"), True, "the role needs five"),
    "nothing is stored": (RUNS, error(400, "storing_is_off"), True, "It runs.\n"),
    "another Python": ((404, ""), (404, ""), False, "built for\nanother Python than 3.13"),
    "no host": ((503, ""), (503, ""), False, "GET models is answered by 503"),
    "a bad setting": (error(503, "misconfigured"), (503, ""), False, 'a setting is wrong:\n{"error"'),
    "a key that is not known yet": ((401, ""), (401, ""), True, "GET models is answered by 401"),
}


class Proxy(ThreadingHTTPServer):
    """A proxy with set answers. `asked` notes each call's (path, key)."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.models, self.others = ENDS["it runs"][:2]
        self.late = 0  # so many calls get a 404 first
        self.asked: list[tuple[str, str]] = []

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/api/v1"


class Handler(BaseHTTPRequestHandler):
    server: Proxy

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["x-functions-key"]))
        status, body = self.server.models if self.path == "/api/v1/models" else self.server.others
        if len(self.server.asked) <= self.server.late:
            status, body = 503, ""
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    server = Proxy()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def write_env(folder: Path, shell: str, az: str | None, base_url: str, well: bool = True) -> str:
    """Runs the hook in a project in `folder`, with the script `az` as the Azure CLI. Gives its output."""
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not here")
    (folder / "infra").mkdir()
    (folder / "bin").mkdir()
    shutil.copy(ROOT / "infra" / SHELLS[shell], folder / "infra")
    if az is not None:
        (folder / "bin/az").write_text("#!/bin/sh\n" + az)
        (folder / "bin/az").chmod(0o755)
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {**OUTPUTS, "PROXY_BASE_URL": base_url, "HOOK_PAUSES": "0 0", "PATH": path, "HOME": str(folder)}
    ran = subprocess.run(
        [shell, folder / "infra" / SHELLS[shell]],
        cwd=folder.parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ran.returncode == 0, ran.stderr) == (well, ""), ran.stdout
    assert KEY not in ran.stdout
    assert sorted(path.name for path in folder.iterdir() if path.is_file()) in ([".env"], [".env", "asked"])
    return ran.stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_url_and_key_are_written_and_other_lines_stay(tmp_path: Path, shell: str, proxy: Proxy) -> None:
    (tmp_path / ".env").write_text(BEFORE, encoding="utf-8")
    told = write_env(tmp_path, shell, GIVES_A_KEY, proxy.base_url)
    written = f"PROXY_BASE_URL={proxy.base_url}\nFUNCTION_HOST_KEY={KEY}\n"
    assert (tmp_path / ".env").read_text(encoding="utf-8") == KEPT + written
    assert (
        "--subscription sub-x --resource-group rg-x --name func-x --query functionKeys.default"
        in (tmp_path / "asked").read_text()
    )
    assert proxy.base_url in told
    assert proxy.asked == [("/api/v1/models", KEY), ("/api/v1/responses/resp_0", KEY)]


@pytest.mark.parametrize("shell", SHELLS)
def test_an_old_key_stays_while_there_is_no_new_one(tmp_path: Path, shell: str, proxy: Proxy) -> None:
    (tmp_path / ".env").write_text(BEFORE, encoding="utf-8")
    told = write_env(tmp_path, shell, GIVES_NONE, proxy.base_url)
    assert (tmp_path / ".env").read_text(encoding="utf-8") == (
        f"# mine: für alle\nOTHER=1\nMY_PROXY_BASE_URL=2\nFUNCTION_HOST_KEY=old\nPROXY_BASE_URL={proxy.base_url}\n"
    )
    assert OUTPUTS["PROXY_KEY_COMMAND"] in told
    assert len((tmp_path / "asked").read_text().splitlines()) == 2  # HOOK_PAUSES allows two
    assert proxy.asked == []


@pytest.mark.parametrize("shell", SHELLS)
def test_a_key_that_comes_late_is_waited_for(tmp_path: Path, shell: str, proxy: Proxy) -> None:
    write_env(tmp_path, shell, f'[ -f "$HOME/asked" ] || {{ {GIVES_NONE}; }}; echo {KEY}', proxy.base_url)
    assert f"FUNCTION_HOST_KEY={KEY}\n" in (tmp_path / ".env").read_text()


@pytest.mark.parametrize("shell", SHELLS)
def test_a_proxy_that_starts_slowly_is_waited_for(tmp_path: Path, shell: str, proxy: Proxy) -> None:
    proxy.late = 1
    assert "It runs.\n" in write_env(tmp_path, shell, GIVES_A_KEY, proxy.base_url)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("shell", SHELLS)
def test_it_says_whether_the_proxy_runs(tmp_path: Path, shell: str, end: str, proxy: Proxy) -> None:
    proxy.models, proxy.others, well, words = ENDS[end]
    assert words in write_env(tmp_path, shell, GIVES_A_KEY, proxy.base_url, well)


@pytest.mark.aoai_fault("permission_denied")
def test_the_function_itself_says_that_its_role_is_missing(
    tmp_path: Path, proxy_base_url: str, function_key: str
) -> None:
    assert "the role needs five" in write_env(tmp_path, "sh", f"echo {function_key}", proxy_base_url)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_proxy_that_cannot_be_reached_from_here_is_no_failure(tmp_path: Path, shell: str, proxy: Proxy) -> None:
    assert "answered by 000" in write_env(tmp_path, shell, GIVES_A_KEY, "http://127.0.0.1:1/api/v1")


@pytest.mark.skipif(bool(shutil.which("az")), reason="the Azure CLI is here")
@pytest.mark.parametrize("shell", SHELLS)
def test_without_the_azure_cli_it_says_how_to_get_a_key(tmp_path: Path, shell: str, proxy: Proxy) -> None:
    assert OUTPUTS["PROXY_KEY_COMMAND"] in write_env(tmp_path, shell, None, proxy.base_url)


def test_a_new_file_is_for_its_owner_alone(tmp_path: Path, proxy: Proxy) -> None:
    write_env(tmp_path, "sh", GIVES_A_KEY, proxy.base_url)
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600


def test_windows_powershell_can_read_it() -> None:
    """Version 5.1 reads a file without a byte-order mark as ANSI, and has no `&&`, `||`, `??` or `? :`."""
    text = (ROOT / "infra/write-env.ps1").read_bytes().decode("ascii")
    assert not [word for word in (" && ", " || ", " ?? ", " ? ") if word in text]
