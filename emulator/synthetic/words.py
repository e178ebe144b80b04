"""Writes plain sentences that quote the prompt they answer."""

import itertools
import re

from .seed import Seed
from .text import pieces

_LISTED = (
    "a about above across after again air all along also an and answer any are around as at back before below between "
    "book both bright by can carry change clear close cold come could day deep door down each early east even every "
    "far field find first follow for form forward found four from full garden gave give good great green grow had half "
    "hand has have here high hill home hour house how in into is it its just keep kind know land large last late lead "
    "learn leave left letter light like line little long look made make many map may mean more morning most mountain "
    "move much must name near never new next night no north not note now number of off often old on once one only open "
    "or order other our out over page paper part path people place plain plan point quiet rain read rest right river "
    "road room round same say sea second see set she short show side simple since sky small so some song sound south "
    "spring stand star start still stone story street such summer sun table tell ten than that the their then there "
    "these thing third this three through time to today together top town tree turn two under until up use very walk "
    "wall warm was water way we well west what wheel when where which while white will wind window winter with without "
    "wood word work world would write year yes yet you young"
)
WORDS = _LISTED.split()
QUOTED = 80  # characters of a prompt that an answer quotes at most
SENTENCE = 6, 6  # the fewest words, and how many more there may be


def said(prompt: str, seed: Seed, tokens: int) -> str:
    """A sentence that quotes the end of the prompt, then plain sentences up to about `tokens` tokens.

    The quotation begins at a word and has no line breaks. It is there even where `tokens` is small: a caller that has a
    limit cuts the text. The words depend on the seed alone, and a longer text begins with the shorter one."""
    quotation = quoted(prompt)
    told = [f"You said: “{quotation}”." if quotation else "You said nothing."]
    own = Seed(seed.uuid("said"))  # shorter: a request's seed is as long as the request
    left = tokens - len(pieces(told[0]))
    for number in itertools.count():
        words = SENTENCE[0] + own.number(str(number), SENTENCE[1])
        sentence = f" {phrase(Seed(f'{own.text} {number}'), words)}."
        left -= words + 1  # each word is a piece, and the full stop
        if left < 0:
            return "".join(told)
        told.append(sentence)
    raise AssertionError  # count() never ends


def quoted(prompt: str, longest: int = QUOTED) -> str:
    """The end of a text, on one line, from the beginning of a word on. A longer word is cut."""
    line = " ".join(prompt[-4 * longest :].split())
    if len(line) <= longest and len(prompt) <= 4 * longest:
        return line
    end = line[-longest:]
    return "…" + (re.sub(r"^\S*\s+", "", end) or end)


def phrase(seed: Seed, words: int) -> str:
    """So many plain words. The first has a capital letter."""
    drawn = [WORDS[digit % len(WORDS)] for digit in seed.numbers("words", words)]
    return " ".join(drawn).capitalize()
