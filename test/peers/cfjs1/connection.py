"""A connection, over TCP or TLS, on which lines and frames are waited for."""

import socket
import ssl
from typing import Self

import cfjs1


class Connection:
    """Reading raises EOFError where the other side has closed, and TimeoutError where nothing comes for too long."""

    def __init__(self, address: tuple[str, int], timeout_seconds: float, tls: ssl.SSLContext | None = None) -> None:
        self._socket = socket.create_connection(address, timeout_seconds)
        if tls is not None:
            self._socket = tls.wrap_socket(self._socket, server_hostname=address[0])
        self._incoming = cfjs1.Incoming()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def set_timeout(self, seconds: float) -> None:
        self._socket.settimeout(seconds)

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def end(self) -> None:
        """Nothing more will be sent."""
        self._socket.shutdown(socket.SHUT_WR)

    def read_line(self) -> bytes:
        while (line := self._incoming.take_line()) is None:
            self._receive()
        return line

    def read_frame(self) -> tuple[dict, bytes]:
        while (frame := self._incoming.take_frame()) is None:
            self._receive()
        return frame

    def read_rest(self) -> bytes:
        """Everything until the other side closes."""
        try:
            while True:
                self._receive()
        except (EOFError, ConnectionResetError):
            return self._incoming.take_rest()

    def _receive(self) -> None:
        data = self._socket.recv(2**18)
        if not data:
            raise EOFError('the other side has closed')
        self._incoming.feed(data)
