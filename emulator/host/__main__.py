import gc
import sys

from .command import main

status = main()
gc.freeze()  # the interpreter would go through all that was loaded once more, for 0.1 s
sys.exit(status)
