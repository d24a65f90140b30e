"""MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md), as far as cfjs1 needs it."""

import struct

_UNSIGNED = {0xCC: '>B', 0xCD: '>H', 0xCE: '>I', 0xCF: '>Q'}
_SIGNED = {0xD0: '>b', 0xD1: '>h', 0xD2: '>i', 0xD3: '>q'}
_FLOATS = {0xCA: '>f', 0xCB: '>d'}
_NUMBERS = _UNSIGNED | _SIGNED | _FLOATS
_STRINGS = {0xD9: '>B', 0xDA: '>H', 0xDB: '>I'}
_BYTES = {0xC4: '>B', 0xC5: '>H', 0xC6: '>I'}
_EXTENSIONS = {0xC7: '>B', 0xC8: '>H', 0xC9: '>I'}
_ARRAYS = {0xDC: '>H', 0xDD: '>I'}
_MAPS = {0xDE: '>H', 0xDF: '>I'}
_CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}
_MAX_DEPTH = 32


class Malformed(ValueError):
    """The bytes are not one MessagePack value."""


def pack(value: object) -> bytes:
    """None, bool, int, float, str, bytes, and lists and dicts of them; each in its shortest form."""
    match value:
        case None:
            return b'\xc0'
        case bool():
            return b'\xc3' if value else b'\xc2'
        case int():
            return _pack_int(value)
        case float():
            return b'\xcb' + struct.pack('>d', value)
        case str():
            text = value.encode()
            return _pack_length(len(text), 0xA0, 31, _STRINGS) + text
        case bytes():
            return _pack_length(len(value), None, -1, _BYTES) + value
        case list():
            return _pack_length(len(value), 0x90, 15, _ARRAYS) + b''.join(map(pack, value))
        case dict():
            members = b''.join(pack(name) + pack(member) for name, member in value.items())
            return _pack_length(len(value), 0x80, 15, _MAPS) + members
    raise TypeError(f'{type(value)} cannot be packed')


def _pack_int(value: int) -> bytes:
    if -32 <= value <= 127:
        return struct.pack('>b', value)
    for code, form in (_UNSIGNED if value >= 0 else _SIGNED).items():
        try:
            return bytes([code]) + struct.pack(form, value)
        except struct.error:
            continue
    raise OverflowError(f'{value} does not fit into 64 bits')


def _pack_length(length: int, fixed: int | None, most: int, forms: dict[int, str]) -> bytes:
    if fixed is not None and length <= most:
        return bytes([fixed | length])
    for code, form in forms.items():
        if length < 1 << 8 * struct.calcsize(form):
            return bytes([code]) + struct.pack(form, length)
    raise OverflowError(f'a length of {length}')


def unpack(data: bytes) -> object:
    """The one value that the bytes hold; extensions come as (type, bytes). Raises Malformed."""
    try:
        value, end = _unpack_at(data, 0, 0)
    except (struct.error, IndexError, UnicodeDecodeError, TypeError) as error:
        raise Malformed(str(error)) from error
    if end != len(data):
        raise Malformed('there is something behind the value')
    return value


def _unpack_at(data: bytes, at: int, depth: int) -> tuple[object, int]:
    if depth > _MAX_DEPTH:
        raise Malformed('nested too deeply')
    code, at = data[at], at + 1
    if code <= 0x7F:
        return code, at
    if code >= 0xE0:
        return code - 0x100, at
    if code <= 0x8F:
        return _unpack_map(data, at, code & 0x0F, depth)
    if code <= 0x9F:
        return _unpack_list(data, at, code & 0x0F, depth)
    if code <= 0xBF:
        return _take(data, at, code & 0x1F, str)
    if code in _CONSTANTS:
        return _CONSTANTS[code], at
    if code in _NUMBERS:
        return _number(data, at, _NUMBERS[code])
    if 0xD4 <= code <= 0xD8:
        return _extension(data, at, 1 << code - 0xD4)
    for forms, read in (
        (_STRINGS, lambda at, length: _take(data, at, length, str)),
        (_BYTES, lambda at, length: _take(data, at, length, bytes)),
        (_EXTENSIONS, lambda at, length: _extension(data, at, length)),
        (_ARRAYS, lambda at, length: _unpack_list(data, at, length, depth)),
        (_MAPS, lambda at, length: _unpack_map(data, at, length, depth)),
    ):
        if code in forms:
            length, at = _number(data, at, forms[code])
            return read(at, length)
    raise Malformed(f'the code {code:#x} is not in use')


def _number(data: bytes, at: int, form: str) -> tuple:
    return struct.unpack_from(form, data, at)[0], at + struct.calcsize(form)


def _take(data: bytes, at: int, length: int, kind: type) -> tuple[object, int]:
    if at + length > len(data):
        raise Malformed('cut off')
    taken = data[at : at + length]
    return (taken.decode() if kind is str else taken), at + length


def _extension(data: bytes, at: int, length: int) -> tuple[object, int]:
    content, end = _take(data, at + 1, length, bytes)
    return (data[at], content), end


def _unpack_list(data: bytes, at: int, length: int, depth: int) -> tuple[object, int]:
    values = []
    for _ in range(length):
        value, at = _unpack_at(data, at, depth + 1)
        values.append(value)
    return values, at


def _unpack_map(data: bytes, at: int, length: int, depth: int) -> tuple[object, int]:
    members = {}
    for _ in range(length):
        name, at = _unpack_at(data, at, depth + 1)
        members[name], at = _unpack_at(data, at, depth + 1)
    return members, at
