"""Checks of what a receiver may take for a copy, and of what it must not."""

import cfjs1
from check import COPIED, Address, check, expect_ack, greeted, new_id, read_refusals, takes


def send(address: Address, *lines: bytes, name: str = 'web-1', **more: object) -> None:
    """One batch over a connection of its own; `more` are further members of the hello."""
    connection, _ = greeted(address, name, **more)
    with connection:
        connection.send(cfjs1.encode_batch(0, list(lines)))
        expect_ack(connection, 0)


@check
def copies(address: Address) -> None:
    """acks what it has stored before, with or without storing it again"""
    lines = [b'{"format":"app","app":{"id":%b,"n":1}}' % new_id() for _ in range(3)]
    takes(*lines)
    COPIED.extend(lines[1:])
    send(address, *lines[:2])
    send(address, *lines[1:], lines[2])


@check
def same_id(address: Address) -> None:
    """stores records of one id that are of other agents, of other boots of their hosts, or marked for other destinations"""
    line = b'{"format":"app","app":{"id":%b}' % new_id()
    plain, for_a, for_b = line + b'}', line + b',"destination":"log-a"}', line + b',"destination":"log-b"}'
    send(address, *takes(plain), name='web-1')
    send(address, *takes(for_a, for_b), name='web-1')
    send(address, *takes(plain), name='web-2')
    send(address, *takes(plain), name='web-1', boot='4f1b2f3c-8f0e-4d29-9a53-5d1f0f2f9f11')
    send(address, *takes(plain), name='web-1', boot='4f1b2f3c-8f0e-4d29-9a53-5d1f0f2f9f12')


@check
def other_ids(address: Address) -> None:
    """stores records whose ids differ as strings, and those that have none"""
    sequence = new_id()[1:-1].partition(b'-')[2]
    ids = [b'"e-%b"', b'"e-0%b"', b'"e-+%b"', b'"E-%b"', b'"e-e-%b"', b'"e--%b"', b'"e-%b.0"', b'"%b"', b'"e-%b-"', b'"e\\u002d%b"', b'%b']
    send(address, *takes(*(b'{"format":"app","app":{"id":%b}}' % (form % sequence) for form in ids)))
    send(address, *takes(*(b'{"format":"app","app":{"n":%d}}' % (number // 2) for number in range(4))))


@check
def refused_before(address: Address) -> None:
    """stores a record whose id was that of a line that it refused"""
    record = b'{"id":%b,"n":1}' % new_id()
    connection, _ = greeted(address, 'web-1')
    with connection:
        connection.send(cfjs1.encode_batch(0, [b'{"format":"app","app":%b}more' % record]))
        refused = read_refusals(connection, 0)
        assert list(refused) == [0], refused
    send(address, *takes(b'{"format":"app","app":%b}' % record))
