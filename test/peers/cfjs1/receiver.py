"""A receiver that speaks cfjs1: keeps lines in one file for each topic, synced before they are acked.

    receiver.py DIRECTORY [--name NAME] [--port PORT] [--refuse TEXT] [--slow SECONDS] [--certificate FILE --key FILE [--client-ca FILE]]

Lines with TEXT in them are refused. With --slow it takes that long to store what came. With a certificate it speaks TLS, and with --client-ca
asks for certificates of that authority. Prints what happens, a JSON object a line, first `listening` with the port. Commands on standard input:
`not-ready REASON`, `ready`, and `goodbye`, which ends the connections of now. Where its input ends it says goodbye and ends.
"""

import argparse
import asyncio
import os
import ssl
import sys
from pathlib import Path

import cfjs1
from cfjs1 import NotCfjs1
from session import Session, tell


class Receiver:
    """The store, which all connections share, and whether it takes records now."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.name: str = options.name
        self.not_ready_reason = ''
        self._directory: Path = options.directory
        self._refuse: bytes | None = options.refuse
        self._slow_seconds: float = options.slow
        self.ready = asyncio.Event()
        self.ready.set()
        self._sessions: dict[Session, asyncio.Task] = {}

    @property
    def is_ready(self) -> bool:
        return self.ready.is_set()

    def set_ready(self, not_ready_reason: str = '') -> None:
        self.not_ready_reason = not_ready_reason
        (self.ready.clear if not_ready_reason else self.ready.set)()
        for session in self._sessions:
            session.tell_readiness()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection from its beginning to its end."""
        session = Session(self, reader, writer)
        self._sessions[session] = asyncio.current_task()
        try:
            await session.run()
        finally:
            del self._sessions[session]

    async def say_goodbye(self) -> None:
        """Resolves when the connections of now have ended."""
        tasks = list(self._sessions.values())
        for session in self._sessions:
            session.say_goodbye()
        await asyncio.gather(*tasks)

    def check(self, raw: bytes) -> str:
        """The line's topic. Raises NotCfjs1 where it is refused."""
        topic = cfjs1.parse_line(raw).topic
        if self._refuse is not None and self._refuse in raw:
            raise NotCfjs1('not wanted here')
        return topic

    async def keep(self, lines: list[tuple[str, bytes]]) -> None:
        """Topics and raw lines; when it returns the disk has them."""
        await asyncio.sleep(self._slow_seconds)
        for topic in {topic for topic, _ in lines}:
            with open(self._directory / f'{topic}.ndjson', 'ab') as file:
                file.write(b''.join(raw + b'\n' for of, raw in lines if of == topic))
                file.flush()
                os.fsync(file.fileno())


async def obey(receiver: Receiver) -> None:
    """Commands from standard input, until it ends."""
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(commands), sys.stdin
    )
    while line := (await commands.readline()).decode():
        command, _, rest = line.strip().partition(' ')
        match command:
            case 'not-ready':
                receiver.set_ready(rest)
            case 'ready':
                receiver.set_ready()
            case 'goodbye':
                await receiver.say_goodbye()


def tls_of(options: argparse.Namespace) -> ssl.SSLContext | None:
    if options.certificate is None:
        return None
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(options.certificate, options.key)
    if options.client_ca is not None:
        tls.load_verify_locations(options.client_ca)
        tls.verify_mode = ssl.CERT_REQUIRED
    return tls


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument('directory', type=Path)
    parser.add_argument('--name', default='python')
    parser.add_argument('--port', type=int, default=0)
    parser.add_argument('--refuse', type=str.encode)
    parser.add_argument('--slow', type=float, default=0)
    parser.add_argument('--certificate')
    parser.add_argument('--key')
    parser.add_argument('--client-ca')
    options = parser.parse_args()
    receiver = Receiver(options)
    server = await asyncio.start_server(receiver.serve, '127.0.0.1', options.port, ssl=tls_of(options))
    tell('listening', port=server.sockets[0].getsockname()[1])
    await obey(receiver)
    server.close()
    await receiver.say_goodbye()


if __name__ == '__main__':
    asyncio.run(main())
