import gc
import sys

from .cli import main

status = main()
gc.freeze()  # the interpreter would go through all that was loaded once more, for 0.1 s
sys.exit(status)
