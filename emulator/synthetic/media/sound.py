"""Samples in the formats of speech. WAV, FLAC and PCM hold the samples. MP3, AAC and Opus need an encoder to hold them,
so they hold silence of the same length, in frames of the fewest bytes that a decoder takes."""

import struct
from collections.abc import Callable, Mapping

from .beep import RATE
from .checksum import crc8, crc16, crc32

SAMPLE_BYTES = 2
MP3_SAMPLES, AAC_SAMPLES = 576, 1_024  # of a frame
MP3_FRAME = bytes.fromhex("fff344c0") + bytes(92)  # MPEG-2 layer III, 32 kbit/s, 24 kHz, mono (ISO/IEC 13818-3)
AAC_FRAME = bytes.fromhex("00c800802380")  # LC, mono, no sound (ISO/IEC 14496-3)
OPUS_FRAME, OPUS_TICKS = bytes.fromhex("f8fffe"), 960  # CELT, 20 ms at 48 kHz, mono, no sound (RFC 6716)
OPUS_SERIAL, OPUS_PRESKIP = 1, 312
FIRST_PAGE, LAST_PAGE = 2, 4
FLAC_BLOCK = 4_096


def wav(samples: bytes) -> bytes:
    head = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, RATE * SAMPLE_BYTES, SAMPLE_BYTES, 8 * SAMPLE_BYTES)
    data = struct.pack("<4sI", b"data", len(samples)) + samples
    return struct.pack("<4sI4s", b"RIFF", 4 + len(head) + len(data), b"WAVE") + head + data


def pcm(samples: bytes) -> bytes:
    return samples


def flac(samples: bytes) -> bytes:
    """Uncompressed (RFC 9639: one verbatim subframe a block)."""
    count = len(samples) // SAMPLE_BYTES
    rate_channels_bits_count = RATE << 44 | (8 * SAMPLE_BYTES - 1) << 36 | count
    info = struct.pack(">HH", FLAC_BLOCK, FLAC_BLOCK) + bytes(6) + rate_channels_bits_count.to_bytes(8) + bytes(16)
    blocks = [samples[at : at + FLAC_BLOCK * SAMPLE_BYTES] for at in range(0, len(samples), FLAC_BLOCK * SAMPLE_BYTES)]
    frames = (_flac_frame(number, block) for number, block in enumerate(blocks))
    return b"fLaC" + b"\x80" + len(info).to_bytes(3) + info + b"".join(frames)


def _flac_frame(number: int, block: bytes) -> bytes:
    head = struct.pack(">HBB", 0xFFF8, 0x77, 0x08) + bytes([number]) + (len(block) // SAMPLE_BYTES - 1).to_bytes(2)
    head += bytes([crc8(head)])
    words = struct.unpack(f"<{len(block) // SAMPLE_BYTES}h", block)
    frame = head + b"\x02" + struct.pack(f">{len(words)}h", *words)
    return frame + crc16(frame).to_bytes(2)


def mp3(samples: bytes) -> bytes:
    return MP3_FRAME * _frames(samples, MP3_SAMPLES)


def aac(samples: bytes) -> bytes:
    """In ADTS (ISO/IEC 13818-7): sync, no CRC; LC, 24 kHz, one channel; the frame's length; a variable bit rate."""
    length = len(AAC_FRAME) + 7
    head = (0xFFF1 << 40 | 0b01 << 38 | 6 << 34 | 1 << 30 | length << 13 | 0x7FF << 2).to_bytes(7)
    return (head + AAC_FRAME) * _frames(samples, AAC_SAMPLES)


def opus(samples: bytes) -> bytes:
    """In Ogg (RFC 7845): a page for each header, and pages of up to a second."""
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, OPUS_PRESKIP, RATE, 0, 0)
    tags = b"OpusTags" + struct.pack("<I", 8) + b"emulator" + struct.pack("<I", 0)
    pages = [_page(0, FIRST_PAGE, 0, [head]), _page(1, 0, 0, [tags])]
    left, ticks = _frames(samples, RATE * OPUS_TICKS // 48_000), 0
    while left:
        packets = min(left, 50)
        left, ticks = left - packets, ticks + packets * OPUS_TICKS
        pages.append(_page(len(pages), 0 if left else LAST_PAGE, ticks, [OPUS_FRAME] * packets))
    return b"".join(pages)


def _page(number: int, kind: int, ticks: int, packets: list[bytes]) -> bytes:
    """Of packets below 255 bytes (RFC 3533)."""
    sizes = bytes(map(len, packets))
    parts = (
        struct.pack("<4sBBqII", b"OggS", 0, kind, ticks, OPUS_SERIAL, number),
        bytes([len(sizes)]) + sizes + b"".join(packets),
    )
    return parts[0] + struct.pack("<I", crc32(parts[0] + bytes(4) + parts[1])) + parts[1]


def _frames(samples: bytes, each: int) -> int:
    return -(-len(samples) // (each * SAMPLE_BYTES))


FORMATS: Mapping[str, Callable[[bytes], bytes]] = {
    "mp3": mp3,
    "opus": opus,
    "aac": aac,
    "flac": flac,
    "wav": wav,
    "pcm": pcm,
}


def sound(samples: bytes, form: str) -> bytes:
    return FORMATS[form](samples)
