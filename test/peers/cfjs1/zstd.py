"""Zstandard frames (RFC 8878) of the two simplest kinds of blocks: bytes as they are, and one byte many times."""

import struct

MAX_BLOCK_BYTES = 2**17

_MAGIC = 0xFD2FB528
_SINGLE_SEGMENT = 0x20
_SIZE_IN_FOUR_BYTES = 0x80
_DICTIONARY_IN_ONE_BYTE = 0x01

# Kind, size of what it stands for, and content.
Block = tuple[int, int, bytes]


def raw(data: bytes) -> Block:
    return 0, len(data), data


def repeated(byte: bytes, times: int) -> Block:
    return 1, times, byte


def frame(*blocks: Block, window_exponent: int | None = None, dictionary: int | None = None) -> bytes:
    """The window is as large as the content, or where it is given 2^(10 + window_exponent) bytes."""
    descriptor = _SIZE_IN_FOUR_BYTES
    window = identifier = b''
    if window_exponent is None:
        descriptor |= _SINGLE_SEGMENT
    else:
        window = bytes([window_exponent << 3])
    if dictionary is not None:
        descriptor |= _DICTIONARY_IN_ONE_BYTE
        identifier = bytes([dictionary])
    size = struct.pack('<I', sum(size for _, size, _ in blocks))
    head = struct.pack('<IB', _MAGIC, descriptor) + window + identifier + size
    last = len(blocks) - 1
    return head + b''.join(
        ((index == last) | kind << 1 | size << 3).to_bytes(3, 'little') + content
        for index, (kind, size, content) in enumerate(blocks)
    )
