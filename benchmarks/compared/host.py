"""`python -m emulator.host` with the packages that Azure installs: httpx loads its command line where pygments is."""

import sys

sys.modules["pygments"] = None  # type: ignore[assignment]

from emulator.host.command import main  # noqa: E402  (first the line above)

if __name__ == "__main__":
    sys.exit(main())
