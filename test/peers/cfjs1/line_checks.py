"""Checks of plain mode and of what is a line."""

import cfjs1
from check import Address, check, connect, expect_ack, expect_refusal_line, greeted, new_id, new_line, new_record, read_refusals, takes

# From the page, made long enough that a batch of one is not too short for its count.
NOT_CFJS1 = [
    b'hello, is there anybody at home',
    b'{"message":"no format"}',
    b'{"format":"application"}',
    b'{"format":"app","app":{}} {}',
    b'{"format":"app","log":{}}',
    b'{"format":"app","app":"text"}',
    b'{"format":"app","app":{},"host":"web-1"}',
    b'{"format":"app","app":{},"app":{}}',
    b'{"format":1,"app":{"message":1}}',
    b'{"format":"../app","../app":{}}',
    b'{"for\\u006dat":"app","app":{}}',
    b'{"format":"destination","destination":{}}',
    b'{"format":"app","app":{},"destination":null}',
    b'{"format":"app","app":{"message":"cut off}}',
    b'{"format":"app","app":{"message":"\xff is no UTF-8"}}',
    b'\xef\xbb\xbf{"format":"app","app":{"message":"a mark"}}',
    b'{"format":"app","app":{"message":NaN}}',
    b'{"format":"app","app":{"message":"a\ttab"}}',
    b'{"format":"-app","-app":{"message":""}}',
    b'{"format":"%s","%s":{}}' % ((b'a' * 129,) * 2),
    b'{"format":"app","app":{},"destination":"lo\\u0067-a"}',
    b'{"format":"app","app":{"a":1}',
]

GOOD = [
    b'{"format":"journal","journal":%b}',
    b'{ "app" : %b , "format" : "app" }',
    b'\t{"app":%b,"format":"app"}\t\r',
    b'{"format":"app","app":%b,"destination":"log-a"}',
    b'{"destination":"log-b","destination":"log-a","format":"x","format":"app","app":%b}',
]

# Records that are stored as they are, whatever a reader of JSON makes of them.
ODD_RECORDS = [
    b'{"id":%b,"a":1,"a":2}',
    b'{"id":%b,"n":1e999999,"m":-0.0,"o":123456789012345678901234567890}',
    b'{"id":%b,"half":"\\ud800","nul":"\\u0000","slash":"\\/"}',
    b'{ "id" : %b , "blanks" : [ ] }',
    '{"id":%b,"text":"é \u2028 \x7f 😀"}'.encode(),
    b'{"id":%b,"deep":' + b'[' * 127 + b']' * 127 + b'}',
    b'{"id":%b,"format":"x","destination":7,"app":{}}',
    b'{"":%b}',
]


def good_lines() -> list[bytes]:
    return [form % new_record() for form in GOOD] + [b'{"format":"app","app":%b}' % (form % new_id()) for form in ODD_RECORDS]


@check
def lines_in_plain_mode(address: Address) -> None:
    """takes whatever is a line, in plain mode, and says nothing"""
    with connect(address) as connection:
        connection.send(b''.join(line + b'\n' for line in takes(*good_lines())))
        connection.end()
        rest = connection.read_rest()
        assert rest == b'', rest


@check
def lines_in_a_batch(address: Address) -> None:
    """takes whatever is a line, in a batch"""
    connection, _ = greeted(address)
    with connection:
        connection.send(cfjs1.encode_batch(0, list(takes(*good_lines()))))
        expect_ack(connection, 0)


@check
def last_line(address: Address) -> None:
    """takes a last line that has no newline, and passes over empty ones"""
    with connect(address) as connection:
        first, last = takes(new_line(), new_line())
        connection.send(b'\n\r\n' + first + b'\n\n' + last)
        connection.end()
        rest = connection.read_rest()
        assert rest == b'', rest


@check
def one_byte_at_a_time(address: Address) -> None:
    """takes lines that come a byte at a time"""
    with connect(address) as connection:
        for byte in takes(new_line())[0] + b'\n':
            connection.send(bytes([byte]))
        connection.end()
        connection.read_rest()


@check
def not_a_line(address: Address) -> None:
    """ends a connection in plain mode on what is not cfjs1, and says why in a line"""
    for line in NOT_CFJS1:
        with connect(address) as connection:
            connection.send(line + b'\n')
            expect_refusal_line(connection)


@check
def refused_by_name(address: Address) -> None:
    """names each line of a batch that is not cfjs1, and takes the others"""
    connection, _ = greeted(address)
    with connection:
        lines, bad = [], []
        for line in NOT_CFJS1:
            lines += takes(new_line())
            bad.append(len(lines))
            lines.append(line)
        connection.send(cfjs1.encode_batch(5, lines))
        refused = read_refusals(connection, 5)
        assert sorted(refused) == bad, f'refused {sorted(refused)}, not {bad}: {refused}'


@check
def many_refused(address: Address) -> None:
    """says which 20,000 lines it refuses in messages of at most 8192"""
    connection, _ = greeted(address)
    with connection:
        lines = [b'this is line %d, and it is no cfjs1' % number for number in range(20_000)]
        connection.send(cfjs1.encode_batch(1, [*lines, *takes(new_line())]))
        refused = read_refusals(connection, 1)
        assert sorted(refused) == list(range(20_000)), f'{len(refused)} were refused'
