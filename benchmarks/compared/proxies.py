"""The proxies to compare: nginx, ours, LiteLLM and Portkey."""

import shutil
import sys
from pathlib import Path

from . import peers
from .contender import ROOT, Contender, Place

KEY = "benchmark-key"
OURS_PATH, OURS_HEADERS = "/api/v1/chat/completions", {"x-functions-key": KEY}


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
    """The function in the local Functions host."""

    python, module, backend = sys.executable, "emulator.host", "public"

    def command(self, place: Place) -> list[str | Path]:
        options = ["--json", "--port", str(place.port), "--backend", self.backend]
        return [self.python, "-m", self.module, *options]

    def environment(self, place: Place) -> dict[str, str]:
        return {
            "AZURE_OPENAI_BASE": f"http://127.0.0.1:{place.upstream}",
            "AZURE_OPENAI_DEPLOYMENT": "gpt-4o-mini",
            "FUNCTION_HOST_KEY": KEY,
            "PYTHONPATH": str(ROOT),
            **place.identity,
        }


class PlainHttpx(Ours):
    """The same function over httpx's own transport."""

    module = "benchmarks.compared.plain_httpx"


class LiteLLM(Contender):
    """Translates between providers, checks a key, counts."""

    def missing(self) -> str:
        return "" if self.program.exists() else "LiteLLM is not installed (python -m benchmarks.compared.peers)"

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
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # it must not load from the internet at its start
            "LITELLM_LOG": "ERROR",
        }


class Portkey(Contender):
    """Translates between providers."""

    def missing(self) -> str:
        if not shutil.which("node"):
            return "node is not installed"
        return "" if self.program.exists() else "Portkey is not installed (python -m benchmarks.compared.peers)"

    @property
    def program(self) -> Path:
        return peers.FOLDER / "portkey/node_modules/@portkey-ai/gateway/build/start-server.js"

    def command(self, place: Place) -> list[str | Path]:
        return ["node", self.program, f"--port={place.port}", "--headless"]

    def environment(self, place: Place) -> dict[str, str]:
        return {"TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost", "NODE_ENV": "production"}


def proxies(upstream: int) -> list[Contender]:
    """All proxies. `upstream` is the upstream's port; Portkey gets it with each request."""
    bearer = {"authorization": "Bearer sk-1234"}
    to_upstream = {"x-portkey-provider": "openai", "x-portkey-custom-host": f"http://127.0.0.1:{upstream}/v1"}
    return [
        Contender("direct"),
        Nginx("nginx"),
        Ours("ours", OURS_PATH, OURS_HEADERS),
        PlainHttpx("ours on httpx's transport", OURS_PATH, OURS_HEADERS),
        LiteLLM("LiteLLM", "/v1/chat/completions", bearer),
        Portkey("Portkey", "/v1/chat/completions", bearer | to_upstream),
    ]
