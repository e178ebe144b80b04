"""Sound and pictures, made without a library: beeps that count the words of a text, and pictures with the text in them.
The improviser asks for them."""

from .beep import RATE, beeps
from .picture import picture
from .sound import FORMATS, SAMPLE_BYTES, sound

__all__ = ["FORMATS", "RATE", "SAMPLE_BYTES", "beeps", "picture", "sound"]
