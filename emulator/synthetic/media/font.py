"""Letters of three by five dots: each digit is a row, with 4, 2 and 1 for its dots from the left."""

import unicodedata

DOTS, ROWS = 3, 5
UNKNOWN = "77777"  # for other scripts
_DRAWN = (
    "A25755 B65656 C34443 D65556 E74647 F74644 G34553 H55755 I72227 J11152 K55655 L44447 M57755 N65555 O25552 "
    "P65644 Q25573 R65655 S34216 T72222 U55557 V55552 W55775 X55255 Y55222 Z71247 075557 126227 261247 361216 "
    "455711 574616 634657 771122 875757 975716 .00002 ,00024 !22202 ?61202 '22000 \"55000 -00700 +02720 /11244 "
    ":02020 ;02024 (12221 )42224 =07070 %51245 *05250 #57575 @25743 _00007 <12421 >42124 [64446 ]31113 $36763"
)
GLYPHS = {drawn[0]: drawn[1:] for drawn in _DRAWN.split()} | {" ": "0" * ROWS}


def plain(text: str) -> str:
    """In letters that the font has, where there are some: without accents, in capitals."""
    letters = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).upper()


def row_of(text: str, number: int) -> str:
    """A row of a line, as 1 for a dot and 0 for none, with a gap after each letter."""
    return "".join(f"{int(GLYPHS.get(letter, UNKNOWN)[number]):0{DOTS}b}0" for letter in text)
