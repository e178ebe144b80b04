"""The fake Azure remembers its calls in a journal."""

from emulator.azure.journal import LONGEST, Exchange, Journal


def test_an_emulator_that_runs_for_weeks_keeps_the_newest_exchanges() -> None:
    journal = Journal()
    for number in range(LONGEST + 1):
        journal.add(Exchange("GET", f"/{number}", ()))
    kept = journal.exchanges
    assert (len(kept), kept[0].target, kept[-1].target) == (LONGEST, "/1", f"/{LONGEST}")
