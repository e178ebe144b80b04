"""LiteLLM and Portkey, outside the repository: `python -m benchmarks.compared.peers` installs them.

They live below ~/.cache/azure-openai-proxy-benchmarks, or where BENCHMARK_PEERS says.
"""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

FOLDER = Path(os.environ.get("BENCHMARK_PEERS", Path.home() / ".cache" / "azure-openai-proxy-benchmarks"))
LITELLM = "litellm[proxy]==1.106.2"  # 1.107.0 was reported compromised
PORTKEY = {
    "private": True,
    "dependencies": {"@portkey-ai/gateway": "1.15.2"},
    "overrides": {"@hono/node-server": "1.13.7"},  # with 1.19 its streams fail: TypeError: immutable
}


def main() -> None:
    litellm = FOLDER / "litellm"
    venv.create(litellm, with_pip=True)
    subprocess.run([litellm / "bin" / "pip", "install", "-q", LITELLM], check=True)
    portkey = FOLDER / "portkey"
    portkey.mkdir(parents=True, exist_ok=True)
    (portkey / "package.json").write_text(json.dumps(PORTKEY))
    subprocess.run(["npm", "install", "--no-audit", "--no-fund"], cwd=portkey, check=True)
    print(f"Installed in {FOLDER}", file=sys.stderr)


if __name__ == "__main__":
    main()
