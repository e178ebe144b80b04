import sys

from .planner import main

if __name__ == "__main__":
    sys.exit(main())
