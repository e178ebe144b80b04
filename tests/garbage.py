"""Garbage is collected rarely: most of what a run of tests makes stays to its end, and looking through all of it again
and again takes a tenth of the run."""

import gc

gc.set_threshold(20_000, 50, 100)


def pytest_collection_finish() -> None:
    gc.freeze()
