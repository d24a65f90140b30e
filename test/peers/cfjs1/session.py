"""One connection as a receiver sees it."""

import asyncio
import json
from collections.abc import Coroutine
from typing import TYPE_CHECKING, TypeVar

import cfjs1
from cfjs1 import NotCfjs1, whole

if TYPE_CHECKING:
    from receiver import Receiver

MAX_FRAME_BYTES = 2**20
MAX_LINE_BYTES = 2**21
MAX_REFUSED_IN_A_MESSAGE = 8192
LAST_WORDS_SECONDS = 1

T = TypeVar('T')


def tell(event: str, **facts: object) -> None:
    print(json.dumps({'event': event, **facts}), flush=True)


class Session:
    """A connection, in plain mode until it has said hello."""

    def __init__(self, receiver: 'Receiver', reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._receiver = receiver
        self._reader = reader
        self._writer = writer
        self._incoming = cfjs1.Incoming()
        self._has_greeted = False
        self._last_id = -1
        self._leaving = asyncio.Event()

    async def run(self) -> None:
        try:
            if await self._greet():
                await self._take_frames()
            else:
                await self._take_lines()
        except NotCfjs1 as error:
            tell('refused connection', reason=str(error))
            self._say({'type': 'error', 'reason': str(error)}, cfjs1.encode_refusal(str(error)))
        except ConnectionError as error:
            tell('lost', reason=str(error))
        await self._close()

    def tell_readiness(self) -> None:
        ready = self._receiver.is_ready
        self._say({'type': 'ready', 'ready': ready, 'reason': self._receiver.not_ready_reason}, b'')

    def say_goodbye(self) -> None:
        """From now on no batch is taken; those that were taken before are stored and acked."""
        self._say({'type': 'goodbye'}, b'')
        self._leaving.set()

    def _say(self, message: dict, line: bytes) -> None:
        """A frame, or before the hello and in plain mode a line."""
        self._writer.write(cfjs1.encode_frame(message) if self._has_greeted else line)

    async def _receive(self) -> bool:
        """Waits for more; false where the agent has closed its side, or nothing more is taken."""
        data = await unless(self._leaving, self._reader.read(2**18))
        self._incoming.feed(data or b'')
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
                if not isinstance(hello.get('boot', ''), str):
                    raise NotCfjs1('a hello whose boot is no string')
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
        acked = self._last_id
        is_open = True
        while is_open:
            kept: list[tuple[str, bytes]] = []
            answers: list[dict] = []
            while not self._leaving.is_set() and (frame := self._incoming.take_frame(MAX_FRAME_BYTES)) is not None:
                header, payload = frame
                if header['type'] == 'batch':
                    answers += self._take_batch(header, payload, kept)
            if self._last_id > acked:
                if not await self._store(kept):
                    return
                acked = self._last_id
                for answer in [*answers, {'type': 'ack', 'id': acked}]:
                    self._writer.write(cfjs1.encode_frame(answer))
                await self._writer.drain()
            is_open = await self._receive()

    async def _store(self, lines: list[tuple[str, bytes]]) -> bool:
        """False where the store takes nothing, and goodbye has been said."""
        if await unless(self._leaving, self._receiver.ready.wait()) or self._receiver.is_ready:
            await self._receiver.keep(lines)
            return True
        return False

    def _take_batch(self, header: dict, payload: bytes, kept: list[tuple[str, bytes]]) -> list[dict]:
        """Adds what is to be kept, and gives the refusals of the others."""
        batch_id, count = whole(header.get('id'), 'id'), whole(header.get('count'), 'count')
        if batch_id <= self._last_id:
            raise NotCfjs1(f'batch {batch_id} comes behind {self._last_id}')
        *lines, rest = payload.split(b'\n')
        lines = [line for line in lines if line.strip(b'\r')]
        if rest or len(lines) != count or count * 16 > len(payload):
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
            await self._store(kept)

    async def _close(self) -> None:
        """Gives the agent a second to read what was said last, and to close its side."""
        try:
            if self._writer.can_write_eof():
                self._writer.write_eof()
            async with asyncio.timeout(LAST_WORDS_SECONDS):
                while await self._reader.read(2**18):
                    pass
        except (OSError, TimeoutError):
            pass
        self._writer.close()


async def unless(end: asyncio.Event, awaited: Coroutine[object, object, T]) -> T | None:
    """What is awaited; None where the end comes before."""
    task = asyncio.ensure_future(awaited)
    ending = asyncio.ensure_future(end.wait())
    done, others = await asyncio.wait({task, ending}, return_when=asyncio.FIRST_COMPLETED)
    for other in others:
        other.cancel()
    await asyncio.wait({task, ending})
    return task.result() if task in done else None
