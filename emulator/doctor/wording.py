"""Azure's many wordings of one error: the words in a refusal, and the row that they mean."""

import re

LONG = 2_000  # characters; the reason comes first
OPERATION, TOO_FEW = "Azure's `OperationNotSupported`", "Azure's 400 about too few tokens"

WHAT = (
    r"(?<!\w)(chat|chat ?completions?|completions?|responses|embeddings?|streaming|stream|operation|API|endpoint|task"
    r"|modality)(?!\w)"
)
NOT = r"(unsupported|(not|only) (be )?(support|possib|avail|allow|work|enabl|used)|(supported|available|enabled) only)"
CANNOT = rf"{WHAT}.{{0,40}}{NOT}|{NOT}.{{0,40}}{WHAT}|OperationNotSupported|not a chat model|requires .{{0,60}}\baudio"
VERSION = r"API.?versions?"  # an administrator can repair this, another model cannot
TOO_OLD = r"Responses API is enabled only"  # an old version may be meant: chat works with it

TOKENS = r"\bmax_\w*tokens\b|\btokens\b|\b(output|length|completion|reasoning) (limit|budget)"
FEW = (
    r"reached|\bhit\b|higher|larger|greater|r[au]ns? out|used (up|all)|too (small|low|few)|below|minimum|at least|>="
    r"|more tokens|(allow|needs?)( it)? more|increase|raise|insufficient|enough|exhausted|finish|truncated|cut off"
    r"|invalid.value"
)
UNKNOWN = r"unrecogni[sz]ed|unsupported|unknown|unexpected|not (supported|permitted|allowed|recogni[sz]ed)"
NOTHING = r"(?!)"

REFUSED = (  # row of the table, words that the text has, words that it lacks
    (OPERATION, (CANNOT,), VERSION),
    (OPERATION, (TOO_OLD,), NOTHING),
    (TOO_FEW, (TOKENS, FEW), UNKNOWN),
)


def has(pattern: str, text: str) -> bool:
    return bool(re.search(pattern, text[:LONG], re.IGNORECASE | re.DOTALL))


def refused(text: str) -> list[str]:
    """The rows that fit a text, the likeliest first."""
    return [row for row, all_of, none_of in REFUSED if all(has(it, text) for it in all_of) and not has(none_of, text)]
