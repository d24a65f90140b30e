"""Checks of acknowledged mode: hellos, frames, acks, and what a receiver does not put up with."""

import struct

import cfjs1
from check import (
    Address,
    check,
    connect,
    expect_ack,
    expect_error,
    expect_last_ack,
    expect_refusal_line,
    greeted,
    new_line,
    raw_frame,
    read_hello,
    read_refusals,
    takes,
)
from msgpack import pack

HELLO = b'{"format":"sluice.hello","sluice.hello":%b}\n'


@check
def hello_with_more(address: Address) -> None:
    """answers a hello with members that it does not know, in any order, with blanks"""
    with connect(address) as connection:
        connection.send(
            b' { "sluice.hello" : {"later":{"a":[1]},"name":"caf\\u00e9","role":"agent","version":1}, "format":"sluice.hello"}\r\n'
        )
        read_hello(connection)


@check
def higher_version(address: Address) -> None:
    """answers an agent of a later version with a version that is not higher"""
    with connect(address) as connection:
        connection.send(HELLO % b'{"version":4,"role":"agent","name":"later"}')
        hello = read_hello(connection)
        assert hello['version'] <= 4, hello


@check
def wrong_hellos(address: Address) -> None:
    """refuses a hello that lacks something, or has something of another type"""
    for members in (
        b'{"role":"agent","name":"a"}',
        b'{"version":1,"name":"a"}',
        b'{"version":1,"role":"agent"}',
        b'{"version":"1","role":"agent","name":"a"}',
        b'{"version":1.5,"role":"agent","name":"a"}',
        b'{"version":1,"role":7,"name":"a"}',
        b'{"version":1,"role":"agent","name":null}',
        b'{"version":1,"role":"agent","name":"a","boot":7}',
        b'{"version":1,"role":"agent","name":"%b"}' % (b'n' * 256),
    ):
        with connect(address) as connection:
            connection.send(HELLO % members)
            expect_refusal_line(connection)


@check
def batch_behind_the_hello(address: Address) -> None:
    """takes batches that come right behind the hello"""
    with connect(address) as connection:
        connection.send(cfjs1.encode_hello(role='agent', name='eager') + cfjs1.encode_batch(0, list(takes(new_line()))))
        read_hello(connection)
        expect_ack(connection, 0)


@check
def the_page(address: Address) -> None:
    """acks the batch of the page's example"""
    [line] = takes(b'{"format":"app","app":{"message":"hi"}}')
    connection, _ = greeted(address)
    with connection:
        frame = bytes.fromhex('17 00 00 00 28 00 00 00 83 a4 74 79 70 65 a5 62 61 74 63 68 a2 69 64 01 a5 63 6f 75 6e 74 01')
        connection.send(frame + line + b'\n')
        header, payload = connection.read_frame()
        assert header == {'type': 'ack', 'id': 1} and payload == b'', header


@check
def integers(address: Address) -> None:
    """understands every form of an integer, and whole floats"""
    connection, _ = greeted(address)
    forms = [
        b'\xcc' + struct.pack('>B', 1),
        b'\xcd' + struct.pack('>H', 2),
        b'\xce' + struct.pack('>I', 3),
        b'\xcf' + struct.pack('>Q', 4),
        b'\xd0' + struct.pack('>b', 5),
        b'\xd1' + struct.pack('>h', 6),
        b'\xd2' + struct.pack('>i', 7),
        b'\xd3' + struct.pack('>q', 8),
        b'\xca' + struct.pack('>f', 9),
        b'\xcb' + struct.pack('>d', 10),
        b'\xcf' + struct.pack('>Q', cfjs1.MAX_INTEGER),
    ]
    with connection:
        for number, form in zip([*range(1, 11), cfjs1.MAX_INTEGER], forms, strict=True):
            members = pack('count') + b'\xcb' + struct.pack('>d', 1) + pack('type') + pack('batch') + pack('id') + form
            connection.send(raw_frame(b'\x83' + members, takes(new_line())[0] + b'\n'))
            expect_ack(connection, number)


@check
def unknown(address: Address) -> None:
    """passes over frames of a type and members that it does not know"""
    connection, _ = greeted(address)
    with connection:
        connection.send(cfjs1.encode_frame({'type': 'later', 'id': 9, 'more': [None, {'a': b'\x00'}, -1.5]}))
        line = takes(new_line())[0] + b'\n'
        connection.send(cfjs1.encode_frame({'later': {'a': [True]}, 'type': 'batch', 'id': 0, 'count': 1, 'x': None}, line))
        expect_ack(connection, 0)


@check
def pieces(address: Address) -> None:
    """takes frames that come in pieces of any size"""
    connection, _ = greeted(address)
    with connection:
        data = b''.join(cfjs1.encode_batch(number, list(takes(new_line()))) for number in range(3))
        for byte in data[:-20]:
            connection.send(bytes([byte]))
        connection.send(data[-20:])
        expect_last_ack(connection, 2)


@check
def cumulative_acks(address: Address) -> None:
    """acks 500 batches, whose ids have steps, in order and up to the last"""
    connection, _ = greeted(address)
    with connection:
        ids = [number * 7 for number in range(500)]
        connection.send(b''.join(cfjs1.encode_batch(each, list(takes(new_line(), new_line()))) for each in ids))
        expect_last_ack(connection, ids[-1], ids)


@check
def largest_frame(address: Address) -> None:
    """takes a batch as large as its hello says"""
    connection, hello = greeted(address)
    with connection:
        size, lines = hello['max_frame_bytes'], []
        while size > 0:
            # What is left for the last line must not be too short for one.
            length = 2**19 if size > 2**20 else size
            lines += takes(new_line().replace(b'"}', b'%b"}' % (b'0' * (length - 1 - len(new_line())))))
            size -= length
        frame = cfjs1.encode_batch(1, lines)
        assert struct.unpack_from('<I', frame, 4) == (hello['max_frame_bytes'],)
        connection.send(frame)
        expect_ack(connection, 1)


def wrong_frames(max_frame_bytes: int) -> dict[str, bytes]:
    line = new_line() + b'\n'
    batch = {'type': 'batch', 'id': 7, 'count': 1}
    return {
        'an empty header': raw_frame(b'', line),
        'a header that is too long': struct.pack('<II', 65537, 0),
        'a header that is no MessagePack': raw_frame(b'\xc1'),
        'a header that is cut off': raw_frame(pack(batch)[:-1], line),
        'a header that is no map': raw_frame(pack(['batch', 7, 1]), line),
        'a header without a type': raw_frame(pack({'id': 7, 'count': 1}), line),
        'a type that is no string': raw_frame(pack({'type': 7})),
        'a type of bytes': raw_frame(pack(batch | {'type': b'batch'}), line),
        'something behind the header': raw_frame(pack(batch) + b'\xc0', line),
        'a payload that is too large': struct.pack('<II', len(pack(batch)), max_frame_bytes + 1) + pack(batch),
        'no id': raw_frame(pack({'type': 'batch', 'count': 1}), line),
        'no count': raw_frame(pack({'type': 'batch', 'id': 7}), line),
        'an id of text': raw_frame(pack(batch | {'id': '7'}), line),
        'an id that is not whole': raw_frame(pack(batch | {'id': 7.5}), line),
        'a negative id': raw_frame(pack(batch | {'id': -7}), line),
        'an id that is too large': raw_frame(pack(batch | {'id': 2**53}), line),
        'a count that is too high': raw_frame(pack(batch | {'count': 2}), line),
        'a count that is too low': raw_frame(pack(batch), line + line),
        'a last line that does not end': raw_frame(pack(batch), line[:-1]),
        'more lines than a sixteenth of the bytes': raw_frame(pack(batch | {'count': 200}), b'{}\n' * 200),
    }


@check
def errors(address: Address) -> None:
    """closes on a wrong frame, says why, and takes nothing of it"""
    connection, hello = greeted(address)
    connection.close()
    for what, frame in wrong_frames(hello['max_frame_bytes']).items():
        connection, _ = greeted(address)
        with connection:
            connection.send(frame)
            expect_error(connection, what)


@check
def ids_that_do_not_grow(address: Address) -> None:
    """closes on an id that does not grow, and takes nothing of that batch"""
    for second in (3, 2):
        connection, _ = greeted(address)
        with connection:
            connection.send(cfjs1.encode_batch(3, list(takes(new_line()))))
            expect_ack(connection, 3)
            connection.send(cfjs1.encode_batch(second, [new_line()]))
            expect_error(connection, f'{second} behind 3')


@check
def no_lines(address: Address) -> None:
    """acks a batch of no lines in its turn, and does not count empty ones"""
    connection, _ = greeted(address)
    with connection:
        connection.send(cfjs1.encode_batch(0, []))
        expect_ack(connection, 0)
        first, second = takes(new_line(), new_line())
        bad = b'this is not a line of cfjs1'
        payload = b'\n' + first + b'\n\r\n' + bad + b'\n\n' + second + b'\n\n'
        connection.send(cfjs1.encode_frame({'type': 'batch', 'id': 1, 'count': 3}, payload))
        refused = read_refusals(connection, 1)
        assert list(refused) == [1], refused
