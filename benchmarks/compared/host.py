"""`python -m emulator.host` with what Azure installs: where pygments is, httpx loads a command line of its own."""

import sys

sys.modules["pygments"] = None  # type: ignore[assignment]

from emulator.host.command import main  # noqa: E402  (first the line above)

if __name__ == "__main__":
    sys.exit(main())
