"""What the tests of improvised answers share."""

from emulator.emulation import Emulator

QUESTION = "How warm is it in Oslo, where nobody recorded it?"


def made_up(emulator: Emulator) -> int:
    """How many answers were made up. None was recorded, and none refused."""
    assert [exchange for exchange in emulator.requests if exchange.recording or exchange.status != 200] == []
    return len(emulator.improvised)
