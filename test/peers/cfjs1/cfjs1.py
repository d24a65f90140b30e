"""cfjs1 as docs/CFJS1.md specifies it: lines, hellos and frames. Written from that page alone."""

import json
import re
import struct
from dataclasses import dataclass

import msgpack

VERSION = 1
HELLO = 'sluice.hello'
ERROR = 'sluice.error'
MAX_HELLO_BYTES = 4096
MAX_HEADER_BYTES = 65536
MAX_INTEGER = 2**53 - 1

_NAME = re.compile(r'(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]{0,127}')
_QUOTED = re.compile(r'"([^"\\]*)"')
_BLANKS = re.compile(r'[ \t\r]*')


class NotCfjs1(ValueError):
    """What came is not what the page says; the message says why."""


@dataclass(frozen=True)
class Line:
    """The record is as Python's json module reads it, numbers as text."""

    format: str
    record: dict
    destination: str | None

    @property
    def topic(self) -> str:
        return self.format if self.destination is None else f'dead-letter.{self.destination}.{self.format}'


def _no_constant(name: str) -> None:
    raise ValueError(f'{name} is not JSON')


_VALUES = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_no_constant)


def parse_line(raw: bytes) -> Line:
    """A line without its LF. Raises NotCfjs1."""
    try:
        return _Members(raw.decode('utf-8')).line()
    except (UnicodeDecodeError, RecursionError) as error:
        raise NotCfjs1(str(error)) from error


class _Members:
    """Reads the members of a line's object one after the other."""

    def __init__(self, text: str):
        self._text = text
        self._at = 0
        self._format: str | None = None
        self._destination: str | None = None
        self._wrappers: list[tuple[str, object]] = []

    def line(self) -> Line:
        self._expect('{')
        self._member()
        while self._next_is(','):
            self._member()
        self._expect('}')
        self._skip_blanks()
        if self._at != len(self._text):
            raise NotCfjs1('there is something behind the object')
        return self._checked()

    def _member(self) -> None:
        self._skip_blanks()
        name = self._quoted()
        self._expect(':')
        self._skip_blanks()
        if name == 'format':
            self._format = self._name()
        elif name == 'destination':
            self._destination = self._name()
        else:
            self._wrappers.append((name, self._value()))

    def _checked(self) -> Line:
        if self._format is None:
            raise NotCfjs1('there is no format')
        if len(self._wrappers) != 1:
            raise NotCfjs1(f'there are {len(self._wrappers)} members beside the format, not one')
        [(name, record)] = self._wrappers
        if name != self._format:
            raise NotCfjs1(f'the wrapper is {name}, the format {self._format}')
        if not isinstance(record, dict):
            raise NotCfjs1('the record is not an object')
        return Line(self._format, record, self._destination)

    def _value(self) -> object:
        try:
            value, self._at = _VALUES.raw_decode(self._text, self._at)
        except ValueError as error:
            raise NotCfjs1(str(error)) from error
        return value

    def _name(self) -> str:
        name = self._quoted()
        if not _NAME.fullmatch(name):
            raise NotCfjs1(f'{name!r} is not a name')
        return name

    def _quoted(self) -> str:
        match = _QUOTED.match(self._text, self._at)
        if match is None:
            raise NotCfjs1(f'there is no plain string at {self._at}')
        self._at = match.end()
        return match[1]

    def _skip_blanks(self) -> None:
        self._at = _BLANKS.match(self._text, self._at).end()

    def _next_is(self, token: str) -> bool:
        self._skip_blanks()
        if not self._text.startswith(token, self._at):
            return False
        self._at += len(token)
        return True

    def _expect(self, token: str) -> None:
        if not self._next_is(token):
            raise NotCfjs1(f'there is no {token} at {self._at}')


def encode_hello(**members: object) -> bytes:
    return _protocol_line(HELLO, {'version': VERSION, **members})


def encode_refusal(reason: str) -> bytes:
    return _protocol_line(ERROR, {'reason': reason})


def _protocol_line(name: str, members: dict) -> bytes:
    return json.dumps({'format': name, name: members}, separators=(',', ':')).encode() + b'\n'


def protocol_members(raw: bytes, name: str) -> dict | None:
    """The wrapper of a hello or refusal; None where the line is something else."""
    try:
        line = parse_line(raw)
    except NotCfjs1:
        return None
    return json.loads(raw)[name] if line.format == name else None


def encode_frame(header: dict, payload: bytes = b'') -> bytes:
    packed = msgpack.pack(header)
    return struct.pack('<II', len(packed), len(payload)) + packed + payload


def encode_batch(batch_id: int, lines: list[bytes]) -> bytes:
    """Lines without their LF."""
    payload = b''.join(line + b'\n' for line in lines)
    return encode_frame({'type': 'batch', 'id': batch_id, 'count': len(lines)}, payload)


def whole(value: object, name: str) -> int:
    """An integer of a header, which may have come as a float."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or value != int(value) or not 0 <= value <= MAX_INTEGER:
        raise NotCfjs1(f'{name} is no whole number')
    return int(value)


class Incoming:
    """Bytes as they come, from which lines and frames are taken."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def peek_line(self, limit: int = MAX_HELLO_BYTES) -> bytes | None:
        """The next line without its LF, which stays here; None where it has not ended yet."""
        end = self._buffer.find(b'\n', 0, limit)
        if end < 0 and len(self._buffer) >= limit:
            raise NotCfjs1(f'a line of more than {limit} bytes')
        return None if end < 0 else bytes(self._buffer[:end])

    def take_line(self, limit: int = MAX_HELLO_BYTES) -> bytes | None:
        line = self.peek_line(limit)
        if line is not None:
            self._take(len(line) + 1)
        return line

    def take_frame(self, max_payload_bytes: int = 0) -> tuple[dict, bytes] | None:
        """The next frame's header and payload; None where it has not come as a whole yet."""
        if len(self._buffer) < 8:
            return None
        header_bytes, payload_bytes = struct.unpack_from('<II', self._buffer)
        if not 1 <= header_bytes <= MAX_HEADER_BYTES:
            raise NotCfjs1(f'a header of {header_bytes} bytes')
        if payload_bytes > max_payload_bytes:
            raise NotCfjs1(f'a payload of {payload_bytes} bytes')
        if len(self._buffer) < 8 + header_bytes + payload_bytes:
            return None
        self._take(8)
        try:
            header = msgpack.unpack(self._take(header_bytes))
        except msgpack.Malformed as error:
            raise NotCfjs1(f'a header that is not MessagePack: {error}') from error
        if not isinstance(header, dict) or not isinstance(header.get('type'), str):
            raise NotCfjs1('a header that is no map with a type')
        return header, self._take(payload_bytes)

    def take_rest(self) -> bytes:
        return self._take(len(self._buffer))

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken
