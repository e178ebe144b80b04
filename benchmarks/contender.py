"""Who is compared: how each is started in front of the upstream, and how it is called."""

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from . import peers

ROOT = Path(__file__).resolve().parent.parent
KEY = "benchmark-key"


@dataclass(frozen=True)
class Place:
    """Where a contender runs: its port, the upstream's, the settings of the fake identity, a folder of its own."""

    port: int
    upstream: int
    identity: Mapping[str, str]
    folder: Path


@dataclass(frozen=True, eq=False)
class Contender:
    """`path` and `headers` are those of a chat completion."""

    name: str
    path: str = "/openai/v1/chat/completions"
    headers: Mapping[str, str] = field(default_factory=dict)

    def missing(self) -> str:
        """Why it cannot run here; empty when it can."""
        return ""

    def command(self, place: Place) -> list[str | Path]:
        """What starts it; empty for the upstream itself."""
        return []

    def environment(self, place: Place) -> dict[str, str]:
        return {}

    def version(self) -> str:
        return ""


class Nginx(Contender):
    """The practical limit of a reverse proxy."""

    def missing(self) -> str:
        return "" if shutil.which("nginx") else "nginx is not installed (Debian: apt-get install nginx-light)"

    def command(self, place: Place) -> list[str | Path]:
        config = place.folder / "nginx.conf"
        config.write_text(
            f"""
daemon off; master_process off; pid {place.folder}/nginx.pid; error_log stderr error;
events {{ worker_connections 8192; }}
http {{
    access_log off; client_max_body_size 100m; client_body_buffer_size 128k;
    client_body_temp_path {place.folder}/body; proxy_temp_path {place.folder}/proxy;
    fastcgi_temp_path {place.folder}/f; uwsgi_temp_path {place.folder}/u; scgi_temp_path {place.folder}/s;
    keepalive_requests 1000000000;
    upstream azure {{ server 127.0.0.1:{place.upstream}; keepalive 2048; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{place.port};
        location / {{
            proxy_pass http://azure; proxy_http_version 1.1; proxy_set_header connection ""; proxy_buffering off;
        }}
    }}
}}
"""
        )
        return [shutil.which("nginx") or "nginx", "-p", place.folder, "-c", config]


class Ours(Contender):
    """The function in the local Functions host, as `python -m emulator host` starts it."""

    module, backend = ("emulator",), "public"

    def command(self, place: Place) -> list[str | Path]:
        host = ["host", "--json", "--port", str(place.port), "--backend", self.backend]
        return [sys.executable, "-m", *self.module, *host]

    def environment(self, place: Place) -> dict[str, str]:
        return {
            "AZURE_OPENAI_BASE": f"http://127.0.0.1:{place.upstream}",
            "AZURE_OPENAI_DEPLOYMENT": "gpt-4o-mini",
            "FUNCTION_HOST_KEY": KEY,
            "PYTHONPATH": str(ROOT),
            **place.identity,
        }


class PlainHttpx(Ours):
    """The same over httpx's own transport."""

    module = ("benchmarks.plain_httpx",)


class LiteLLM(Contender):
    """Translates between providers, checks a key, counts."""

    def missing(self) -> str:
        return "" if self.program.exists() else "LiteLLM is not installed (python -m benchmarks.peers)"

    @property
    def program(self) -> Path:
        return peers.FOLDER / "litellm" / "bin" / "litellm"

    def command(self, place: Place) -> list[str | Path]:
        config = place.folder / "litellm.yaml"
        config.write_text(
            f"""
model_list:
  - model_name: gpt-4o-mini
    litellm_params: {{model: openai/gpt-4o-mini, api_base: "http://127.0.0.1:{place.upstream}/v1", api_key: unused}}
general_settings: {{master_key: sk-1234}}
"""
        )
        return [
            self.program,
            "--config",
            config,
            "--host",
            "127.0.0.1",
            "--port",
            str(place.port),
            "--num_workers",
            "1",
        ]

    def environment(self, place: Place) -> dict[str, str]:
        return {
            "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # nothing from the internet while it starts
            "LITELLM_LOG": "ERROR",
        }


class Portkey(Contender):
    """Translates between providers."""

    def missing(self) -> str:
        if not shutil.which("node"):
            return "node is not installed"
        return "" if self.program.exists() else "Portkey is not installed (python -m benchmarks.peers)"

    @property
    def program(self) -> Path:
        return peers.FOLDER / "portkey/node_modules/@portkey-ai/gateway/build/start-server.js"

    def command(self, place: Place) -> list[str | Path]:
        return ["node", self.program, f"--port={place.port}", "--headless"]

    def environment(self, place: Place) -> dict[str, str]:
        return {"TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost", "NODE_ENV": "production"}


def contenders(upstream: int) -> list[Contender]:
    """All of them; `upstream` is the upstream's port, which Portkey is told with each request."""
    bearer = {"authorization": "Bearer sk-1234"}
    ours = {"path": "/api/v1/chat/completions", "headers": {"x-functions-key": KEY}}
    to_upstream = {"x-portkey-provider": "openai", "x-portkey-custom-host": f"http://127.0.0.1:{upstream}/v1"}
    return [
        Contender("direct"),
        Nginx("nginx"),
        Ours("ours", **ours),
        PlainHttpx("ours over plain httpx", **ours),
        LiteLLM("LiteLLM", "/v1/chat/completions", bearer),
        Portkey("Portkey", "/v1/chat/completions", bearer | to_upstream),
    ]
