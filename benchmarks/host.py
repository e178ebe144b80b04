"""`python -m emulator.host` with what Azure installs: where rich is, httpx loads a command line of its own with it."""

import sys

sys.modules["rich"] = None  # type: ignore[assignment]

from emulator.host.command import main  # noqa: E402  (first the line above)

if __name__ == "__main__":
    sys.exit(main())
