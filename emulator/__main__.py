import gc
import sys

from .cli import main

status = main()
gc.freeze()  # saves 0.1 s: the interpreter does not collect all modules at its end
sys.exit(status)
