"""What the checks of a receiver share: a list of them, lines of their own, and what the receiver must have stored in the end."""

import struct
from collections.abc import Callable, Container
from itertools import count

import cfjs1
from connection import Connection

TIMEOUT_SECONDS = 10

Address = tuple[str, int]

CHECKS: list[Callable[[Address], None]] = []
# Every line that the receiver has to have, byte for byte, and no other.
TAKEN: list[bytes] = []
# Those of them that it may have a second time.
COPIED: list[bytes] = []

_numbers = count()


def check(function: Callable[[Address], None]) -> Callable[[Address], None]:
    """A check is a function whose doc string says what a receiver does."""
    CHECKS.append(function)
    return function


def connect(address: Address) -> Connection:
    return Connection(address, TIMEOUT_SECONDS)


def greeted(address: Address, name: str = 'check', **more: object) -> tuple[Connection, dict]:
    """A connection in acknowledged mode, and the receiver's hello."""
    connection = connect(address)
    connection.send(cfjs1.encode_hello(role='agent', name=name, **more))
    return connection, read_hello(connection)


def read_hello(connection: Connection) -> dict:
    line = connection.read_line()
    hello = cfjs1.protocol_members(line, cfjs1.HELLO)
    assert hello is not None, f'no hello, but {line!r}'
    assert isinstance(hello['version'], int) and hello['version'] >= 1, hello
    assert hello['role'] == 'receiver', hello
    assert isinstance(hello['name'], str) and len(hello['name']) <= 255, hello
    assert hello['ready'] is True, hello
    assert isinstance(hello['max_frame_bytes'], int) and hello['max_frame_bytes'] >= 65536, hello
    return hello


def new_id() -> bytes:
    """An id of its own, as JSON."""
    return b'"c0ffee-%d"' % next(_numbers)


def new_record() -> bytes:
    return b'{"id":%b}' % new_id()


def new_line() -> bytes:
    return b'{"format":"app","app":%b}' % new_record()


def takes(*lines: bytes) -> tuple[bytes, ...]:
    """Notes that the receiver must store these, and gives them back."""
    TAKEN.extend(lines)
    return lines


def read_refusals(connection: Connection, batch_id: int) -> dict[int, str]:
    """What is said of a batch, up to its ack: the reasons for the lines that are refused, by index."""
    reasons: dict[int, str] = {}
    while True:
        header, _ = connection.read_frame()
        if header['type'] == 'ack':
            assert cfjs1.whole(header['id'], 'id') == batch_id, header
            return reasons
        assert header['type'] == 'refused', header
        assert header['id'] == batch_id and isinstance(header['reason'], str), header
        records = [cfjs1.whole(record, 'a record') for record in header['records']]
        assert 1 <= len(records) <= 8192, f'{len(records)} records in a message'
        assert records == sorted(set(records)) and reasons.keys().isdisjoint(records), records
        reasons.update(dict.fromkeys(records, header['reason']))


def expect_ack(connection: Connection, batch_id: int) -> None:
    refused = read_refusals(connection, batch_id)
    assert not refused, f'refused: {refused}'


def expect_last_ack(connection: Connection, batch_id: int, sent: Container[int] | None = None) -> None:
    """Acks that grow, of batches that were sent where these are given, up to this one; and nothing else."""
    last = -1
    while last < batch_id:
        header, _ = connection.read_frame()
        assert header['type'] == 'ack' and header['id'] > last, header
        assert sent is None or header['id'] in sent, header
        last = header['id']


def expect_error(connection: Connection, what: str) -> None:
    """The receiver says what it did not like, and closes."""
    try:
        header, _ = connection.read_frame()
        assert header['type'] == 'error' and header['reason'], header
        connection.end()
        rest = connection.read_rest()
        assert rest == b'', rest
    except Exception as error:
        raise AssertionError(f'{what}: {error!r}') from error


def expect_refusal_line(connection: Connection) -> None:
    """The receiver says why in a line, and closes."""
    rest = connection.read_rest()
    refusal = cfjs1.protocol_members(rest.removesuffix(b'\n'), cfjs1.ERROR)
    assert refusal is not None and isinstance(refusal['reason'], str), rest


def raw_frame(header: bytes, payload: bytes = b'') -> bytes:
    return struct.pack('<II', len(header), len(payload)) + header + payload
