"""An agent that speaks cfjs1: ships the lines of its standard input, and keeps each one until a receiver has it.

    agent.py HOST:PORT [--plain] [--batch-lines N] [--window N] [--ca FILE [--certificate FILE --key FILE]]

With an authority's certificate it speaks TLS. Prints what happens, a JSON object a line. In acknowledged mode it connects again, for ever,
until every line is settled.
"""

import argparse
import json
import ssl
import sys
import time
from collections import deque
from dataclasses import dataclass, field

import cfjs1
from cfjs1 import NotCfjs1, whole
from connection import Connection

ANSWER_TIMEOUT_SECONDS = 2
# What a receiver may take to store what it was sent, or to become ready again.
ACK_TIMEOUT_SECONDS = 10
RETRY_SECONDS = 0.1
# Ids grow by any step; one that is not 1 finds receivers that count on it.
ID_STEP = 3


class Over(Exception):
    """The connection is not to be used any more; what was not acked goes over the next one."""


@dataclass
class Batch:
    id: int
    lines: list[bytes]
    refused: set[int] = field(default_factory=set)

    @property
    def taken(self) -> list[bytes]:
        return [line for index, line in enumerate(self.lines) if index not in self.refused]


def tell(event: str, **facts: object) -> None:
    print(json.dumps({'event': event, **facts}), flush=True)


class Agent:
    def __init__(self, lines: list[bytes], options: argparse.Namespace) -> None:
        self._options = options
        self._waiting = deque(lines)
        self._delivered = 0
        self._refused = 0

    def run(self) -> None:
        while self._waiting:
            try:
                with connect(self._options, ANSWER_TIMEOUT_SECONDS) as connection:
                    self._ship(connection)
            except (Over, OSError, EOFError, NotCfjs1) as error:
                tell('disconnected', reason=str(error) or type(error).__name__)
                time.sleep(RETRY_SECONDS)
        tell('done', delivered=self._delivered, refused=self._refused)

    def _ship(self, connection: Connection) -> None:
        hello = greet(connection)
        connection.set_timeout(ACK_TIMEOUT_SECONDS)
        is_ready = hello['ready']
        is_leaving = False
        sent: deque[Batch] = deque()
        next_id = 0
        try:
            while sent or (self._waiting and not is_leaving):
                while is_ready and not is_leaving and self._waiting and len(sent) < self._options.window:
                    sent.append(Batch(next_id, self._next_lines(hello['max_frame_bytes'])))
                    connection.send(cfjs1.encode_batch(next_id, sent[-1].lines))
                    next_id += ID_STEP
                header, _ = connection.read_frame()
                match header['type']:
                    case 'ack':
                        self._acked(whole(header.get('id'), 'id'), sent)
                    case 'refused':
                        self._were_refused(header, sent)
                    case 'ready':
                        is_ready = header['ready']
                        tell('ready', ready=is_ready, reason=header.get('reason'))
                    case 'goodbye':
                        is_leaving = True  # acks may still come
                        tell('goodbye')
                    case 'error':
                        raise Over(f'the receiver closes: {header.get("reason")}')
            if is_leaving:
                raise Over('the receiver said goodbye, and has acked everything')
        finally:
            # The oldest first, as they were; what was refused is not to be sent again.
            for batch in reversed(sent):
                self._refused += len(batch.refused)
                self._waiting.extendleft(reversed(batch.taken))

    def _next_lines(self, max_bytes: int) -> list[bytes]:
        lines: list[bytes] = []
        size = 0
        while self._waiting and len(lines) < self._options.batch_lines:
            size += len(self._waiting[0]) + 1
            if size > max_bytes and lines:
                break
            lines.append(self._waiting.popleft())
        return lines

    def _acked(self, through: int, sent: deque[Batch]) -> None:
        while sent and sent[0].id <= through:
            batch = sent.popleft()
            self._delivered += len(batch.taken)
            self._refused += len(batch.refused)
        tell('ack', id=through, delivered=self._delivered)

    def _were_refused(self, header: dict, sent: deque[Batch]) -> None:
        batch_id = whole(header.get('id'), 'id')
        batch = next((batch for batch in sent if batch.id == batch_id), None)
        if batch is None:
            raise NotCfjs1(f'lines of batch {batch_id} are refused, which is not under way')
        records = [whole(record, 'a record') for record in header['records']]
        if records != sorted(set(records)) or not batch.refused.isdisjoint(records):
            raise NotCfjs1(f'refused out of order or twice: {records}')
        batch.refused.update(records)
        lines = [batch.lines[record].decode(errors='replace') for record in records]
        tell('refused', reason=header.get('reason'), lines=lines)


def greet(connection: Connection) -> dict:
    """Says hello and gives the receiver's."""
    connection.send(cfjs1.encode_hello(role='agent', name='python'))
    answer = connection.read_line()
    hello = cfjs1.protocol_members(answer, cfjs1.HELLO)
    if hello is None:
        refusal = cfjs1.protocol_members(answer, cfjs1.ERROR)
        raise Over('no hello' if refusal is None else f'refused: {refusal["reason"]}')
    if hello['role'] != 'receiver' or hello['version'] > cfjs1.VERSION:
        raise Over(f'a hello that is no answer to ours: {hello}')
    tell('connected', receiver=hello['name'], ready=hello['ready'], reason=hello.get('reason'))
    return hello


def ship_plainly(options: argparse.Namespace, lines: list[bytes]) -> None:
    with connect(options, ACK_TIMEOUT_SECONDS) as connection:
        connection.send(b''.join(line + b'\n' for line in lines))
        connection.end()
        # In plain mode a receiver says nothing but why it closes.
        refusal = cfjs1.protocol_members(connection.read_rest().rstrip(b'\n'), cfjs1.ERROR)
        tell('sent', lines=len(lines), refusal=refusal and refusal['reason'])


def connect(options: argparse.Namespace, timeout_seconds: float) -> Connection:
    if options.ca is None:
        return Connection(options.address, timeout_seconds)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.load_verify_locations(options.ca)
    if options.certificate is not None:
        tls.load_cert_chain(options.certificate, options.key)
    return Connection(options.address, timeout_seconds, tls)


def parse_address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(':')
    return host, int(port)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument('address', type=parse_address)
    parser.add_argument('--plain', action='store_true')
    parser.add_argument('--batch-lines', type=int, default=100)
    parser.add_argument('--window', type=int, default=8)
    parser.add_argument('--ca')
    parser.add_argument('--certificate')
    parser.add_argument('--key')
    options = parser.parse_args()
    lines = sys.stdin.buffer.read().split(b'\n')
    if lines[-1] == b'':
        lines.pop()
    if options.plain:
        ship_plainly(options, lines)
    else:
        Agent(lines, options).run()


if __name__ == '__main__':
    main()
