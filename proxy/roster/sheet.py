"""A class in a sheet: CSV in UTF-8, one line for each person. The first line names the columns."""

import csv
import datetime
from collections.abc import Mapping
from pathlib import Path

from ..keys import Key, folded
from .person import FIELDS, Mistake, key_of


def keys_of(sheet: Path, usual: Mapping[str, str], today: datetime.date) -> list[Key]:
    """A key for each line; `usual` fills the cells that a line leaves empty. Raises Mistake, with the line's number."""
    try:
        text = sheet.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise Mistake(f'{sheet} is not in UTF-8: save it as "CSV UTF-8".') from None
    except OSError as error:
        raise Mistake(f"{sheet} cannot be read: {error.strerror}.") from None
    delimiter = ";" if ";" in text.partition("\n")[0] else ","  # Excel's own, which depends on the system's language
    lines = csv.reader(text.splitlines(), delimiter=delimiter, strict=True)
    try:
        columns = [cell.strip().lower().replace(" ", "_").replace("-", "_") for cell in next(lines, [])]
        if "name" not in columns or (unknown := [name for name in columns if name not in FIELDS]):
            wrong = repr(unknown[0]) if "name" in columns else "no column name"
            raise Mistake(f"{sheet} has {wrong}. Its first line may name {', '.join(FIELDS)}; only name is needed.")
        keys = list[Key]()
        for line in lines:
            if any(cell.strip() for cell in line):
                keys.append(key_of_line(line, columns, usual, today, f"{sheet}, line {lines.line_num}"))
    except csv.Error as error:
        raise Mistake(f"{sheet}, line {lines.line_num}: {error}.") from None
    if not keys:
        raise Mistake(f"{sheet} names nobody.")
    names = [folded(key.name) for key in keys]
    if twice := next((key.name for key in keys if names.count(folded(key.name)) > 1), ""):
        raise Mistake(f"{sheet} has {twice!r} twice: names must differ, because a key is revoked by its name.")
    return keys


def key_of_line(line: list[str], columns: list[str], usual: Mapping[str, str], today: datetime.date, where: str) -> Key:
    if len(line) > len(columns):
        raise Mistake(f"{where}: more cells than columns. A list of models stands in quotes.")
    said = {column: cell for column, cell in zip(columns, line, strict=False) if cell.strip()}
    try:
        return key_of({**usual, "name": "", **said}, today)
    except Mistake as mistake:
        raise Mistake(f"{where}: {mistake}") from None
