"""A receiver that speaks cfjs1: keeps lines in one file for each topic, synced before they are acked.

    receiver.py DIRECTORY [--name NAME] [--port PORT] [--refuse TEXT]

Lines with TEXT in them are refused. Prints what happens, a JSON object a line, first `listening` with the port. Commands on standard
input: `not-ready REASON`, `ready`, and `goodbye`, which ends the connections of now. Where its input ends it says goodbye and ends.
"""

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path

import cfjs1
from cfjs1 import NotCfjs1, whole

MAX_FRAME_BYTES = 2**20
MAX_LINE_BYTES = 2**21
MAX_REFUSED_IN_A_MESSAGE = 8192
LAST_WORDS_SECONDS = 1


def tell(event: str, **facts: object) -> None:
    print(json.dumps({'event': event, **facts}), flush=True)


class Receiver:
    """The store, which all connections share, and whether it takes records now."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.name: str = options.name
        self.not_ready_reason = ''
        self._directory: Path = options.directory
        self._refuse: bytes | None = options.refuse
        self._ready = asyncio.Event()
        self._ready.set()
        self._sessions: dict[asyncio.Task, Session] = {}

    @property
    def is_ready(self) -> bool:
        return self._ready.is_set()

    def set_ready(self, not_ready_reason: str = '') -> None:
        self.not_ready_reason = not_ready_reason
        (self._ready.clear if not_ready_reason else self._ready.set)()
        for session in self._sessions.values():
            session.tell_readiness()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection from its beginning to its end."""
        session = Session(self, reader, writer)
        task = asyncio.current_task()
        self._sessions[task] = session
        try:
            await session.run()
        finally:
            del self._sessions[task]

    async def say_goodbye(self) -> None:
        tasks = list(self._sessions)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def check(self, raw: bytes) -> str:
        """The line's topic. Raises NotCfjs1 where it is refused."""
        topic = cfjs1.parse_line(raw).topic
        if self._refuse is not None and self._refuse in raw:
            raise NotCfjs1('not wanted here')
        return topic

    async def keep(self, lines: list[tuple[str, bytes]]) -> None:
        """Topics and raw lines; when it returns the disk has them."""
        await self._ready.wait()
        for topic in {topic for topic, _ in lines}:
            with open(self._directory / f'{topic}.ndjson', 'ab') as file:
                file.write(b''.join(raw + b'\n' for of, raw in lines if of == topic))
                file.flush()
                os.fsync(file.fileno())


class Session:
    """A connection, in plain mode until it has said hello."""

    def __init__(self, receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._receiver = receiver
        self._reader = reader
        self._writer = writer
        self._incoming = cfjs1.Incoming()
        self._has_greeted = False
        self._last_id = -1

    async def run(self) -> None:
        try:
            if await self._greet():
                await self._take_frames()
            else:
                await self._take_lines()
        except NotCfjs1 as error:
            tell('refused connection', reason=str(error))
            self._say({'type': 'error', 'reason': str(error)}, cfjs1.encode_refusal(str(error)))
        except asyncio.CancelledError:
            self._say({'type': 'goodbye'}, b'')
        except ConnectionError as error:
            tell('lost', reason=str(error))
        await self._close()

    def tell_readiness(self) -> None:
        ready = self._receiver.is_ready
        self._say({'type': 'ready', 'ready': ready, 'reason': self._receiver.not_ready_reason}, b'')

    def _say(self, message: dict, line: bytes) -> None:
        """A frame, or before the hello and in plain mode a line."""
        self._writer.write(cfjs1.encode_frame(message) if self._has_greeted else line)

    async def _receive(self) -> bool:
        """Waits for more; false where the agent has closed its side."""
        data = await self._reader.read(2**18)
        self._incoming.feed(data)
        return bool(data)

    async def _greet(self) -> bool:
        """Answers a hello. Anything else stays where it is, for plain mode."""
        while (first := self._incoming.peek_line(MAX_LINE_BYTES)) is None:
            if not await self._receive():
                return False
        hello = cfjs1.protocol_members(first, cfjs1.HELLO)
        if hello is None or len(first) >= cfjs1.MAX_HELLO_BYTES:
            return False
        self._incoming.take_line()
        match hello:
            case {'version': int(version), 'role': 'agent', 'name': str(name)} if version >= 1 and len(name) <= 255:
                tell('hello', name=name)
            case _:
                raise NotCfjs1('a hello that lacks something')
        self._writer.write(
            cfjs1.encode_hello(
                role='receiver',
                name=self._receiver.name,
                ready=self._receiver.is_ready,
                reason=self._receiver.not_ready_reason,
                max_frame_bytes=MAX_FRAME_BYTES,
            )
        )
        self._has_greeted = True
        return True

    async def _take_frames(self) -> None:
        is_open = True
        while is_open:
            kept: list[tuple[str, bytes]] = []
            answers: list[dict] = []
            while (frame := self._incoming.take_frame(MAX_FRAME_BYTES)) is not None:
                header, payload = frame
                if header['type'] == 'batch':
                    answers += self._take_batch(header, payload, kept)
            if kept or answers:
                await self._receiver.keep(kept)
                for answer in answers:
                    self._writer.write(cfjs1.encode_frame(answer))
                self._writer.write(cfjs1.encode_frame({'type': 'ack', 'id': self._last_id}))
                await self._writer.drain()
            is_open = await self._receive()

    def _take_batch(self, header: dict, payload: bytes, kept: list[tuple[str, bytes]]) -> list[dict]:
        """Adds what is to be kept, and gives the refusals of the others."""
        batch_id, count = whole(header.get('id'), 'id'), whole(header.get('count'), 'count')
        if batch_id <= self._last_id:
            raise NotCfjs1(f'batch {batch_id} comes behind {self._last_id}')
        lines = payload.split(b'\n')
        if lines.pop() != b'' or len(lines) != count or count * 16 > len(payload):
            raise NotCfjs1(f'batch {batch_id} has not the {count} whole lines that it should')
        self._last_id = batch_id
        refused: dict[str, list[int]] = {}
        for index, raw in enumerate(lines):
            try:
                kept.append((self._receiver.check(raw), raw))
            except NotCfjs1 as error:
                refused.setdefault(str(error), []).append(index)
        return [
            {'type': 'refused', 'id': batch_id, 'records': records[at : at + MAX_REFUSED_IN_A_MESSAGE], 'reason': reason}
            for reason, records in refused.items()
            for at in range(0, len(records), MAX_REFUSED_IN_A_MESSAGE)
        ]

    async def _take_lines(self) -> None:
        is_open = True
        while is_open:
            await self._take_whole_lines()
            is_open = await self._receive()
        # A line need not have ended when the agent closes its side.
        self._incoming.feed(b'\n')
        await self._take_whole_lines()

    async def _take_whole_lines(self) -> None:
        kept: list[tuple[str, bytes]] = []
        try:
            while (raw := self._incoming.take_line(MAX_LINE_BYTES)) is not None:
                if raw.strip(b'\r'):
                    kept.append((self._receiver.check(raw), raw))
        finally:
            await self._receiver.keep(kept)

    async def _close(self) -> None:
        """Gives the agent a second to read what was said last, and to close its side."""
        try:
            self._writer.write_eof()
            async with asyncio.timeout(LAST_WORDS_SECONDS):
                while await self._reader.read(2**18):
                    pass
        except (OSError, TimeoutError):
            pass
        self._writer.close()


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


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument('directory', type=Path)
    parser.add_argument('--name', default='python')
    parser.add_argument('--port', type=int, default=0)
    parser.add_argument('--refuse', type=str.encode)
    options = parser.parse_args()
    receiver = Receiver(options)
    server = await asyncio.start_server(receiver.serve, '127.0.0.1', options.port)
    tell('listening', port=server.sockets[0].getsockname()[1])
    await obey(receiver)
    server.close()
    await receiver.say_goodbye()


if __name__ == '__main__':
    asyncio.run(main())
