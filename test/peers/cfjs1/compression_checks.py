"""Checks of compressed batches, for receivers that offer zstd in their hello."""

import cfjs1
import zstd
from check import Address, check, expect_ack, expect_error, expect_last_ack, greeted, new_line, takes

MEBIBYTE = 2**20
# Of each large line so much is left as it is, so that it does not become smaller than is allowed.
RAW_BYTES = 4096


def offers_zstd(hello: dict) -> bool:
    return 'zstd' in hello.get('compression', [])


def compressed(batch_id: int, count: int, size: int, payload: bytes) -> bytes:
    header = {'type': 'batch', 'id': batch_id, 'count': count, 'compression': 'zstd', 'size': size}
    return cfjs1.encode_frame(header, payload)


def zeros(times: int) -> list[zstd.Block]:
    most = zstd.MAX_BLOCK_BYTES
    return [zstd.repeated(b'0', min(times - at, most)) for at in range(0, times, most)]


@check
def compressed_batches(address: Address) -> None:
    """takes compressed batches, where it offers that, among others that are not"""
    connection, hello = greeted(address)
    with connection:
        if not offers_zstd(hello):
            return
        connection.send(cfjs1.encode_batch(0, list(takes(new_line()))))
        text = b''.join(line + b'\n' for line in takes(new_line(), new_line()))
        connection.send(compressed(1, 2, len(text), zstd.frame(zstd.raw(text[:50]), zstd.raw(text[50:]))))
        connection.send(cfjs1.encode_batch(2, list(takes(new_line()))))
        expect_last_ack(connection, 2)


@check
def large_compressed_batch(address: Address) -> None:
    """takes a compressed batch of 8 MiB, or of what its hello allows"""
    connection, hello = greeted(address)
    with connection:
        if not offers_zstd(hello):
            return
        size = rest = min(hello['max_frame_bytes'], 8 * MEBIBYTE)
        blocks: list[zstd.Block] = []
        count = 0
        while rest > 0:
            line = new_line()
            length = MEBIBYTE // 2 if rest > MEBIBYTE else rest
            start, end = line[:-3], line[-3:]
            padding = length - 1 - len(line)
            takes(start + b'0' * padding + end)
            blocks += [zstd.raw(start + b'0' * RAW_BYTES), *zeros(padding - RAW_BYTES), zstd.raw(end + b'\n')]
            count += 1
            rest -= length
        connection.send(compressed(1, count, size, zstd.frame(*blocks)))
        expect_ack(connection, 1)


def wrong_batches() -> dict[str, bytes]:
    line = new_line() + b'\n'
    size = len(line)
    good = zstd.frame(zstd.raw(line))
    bomb = zstd.frame(zstd.raw(line[:-4]), *zeros(MEBIBYTE), zstd.raw(line[-4:]))
    header = {'type': 'batch', 'id': 1, 'count': 1, 'size': size}
    return {
        'a compression that was not offered': cfjs1.encode_frame(header | {'compression': 'lzw'}, good),
        'a compression that is no name': cfjs1.encode_frame(header | {'compression': 1}, good),
        'no size': cfjs1.encode_frame({'type': 'batch', 'id': 1, 'count': 1, 'compression': 'zstd'}, good),
        'a size of 0': compressed(1, 0, 0, zstd.frame(zstd.raw(b''))),
        'a size that is too small': compressed(1, 1, size - 1, good),
        'a size that is too large': compressed(1, 1, size + 1, good),
        'a size of text': cfjs1.encode_frame(header | {'compression': 'zstd', 'size': '%d' % size}, good),
        'what is no Zstandard': compressed(1, 1, size, line),
        'a frame that is cut off': compressed(1, 1, size, good[:-1]),
        'a dictionary': compressed(1, 1, size, zstd.frame(zstd.raw(line), dictionary=7)),
        'lines that become too small': compressed(1, 1, size + MEBIBYTE, bomb),
        'a count that is too high': compressed(1, 2, size, good),
        'a last line that does not end': compressed(1, 1, size - 1, zstd.frame(zstd.raw(line[:-1]))),
    }


@check
def wrong_compression(address: Address) -> None:
    """closes where a compressed batch breaks a rule, says why, and takes nothing of it"""
    for what, frame in wrong_batches().items():
        connection, hello = greeted(address)
        with connection:
            if not offers_zstd(hello):
                return
            connection.send(frame)
            expect_error(connection, what)
