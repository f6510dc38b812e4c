"""Small clients for what common tools do not do: odd TCP connections and a UDP conversation.

Run as `talk.py KIND HOST PORT`; KIND is the name of a function below.
"""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import sys
import time

PAGE = b"GET /p7.html HTTP/1.1\r\nHost: www.example.com\r\nConnection: close\r\n\r\n"
LARGE_PAGE = b"GET /large.html HTTP/1.0\r\n\r\n"
SIZES = (20, 60, 172, 172, 172, 500, 1200, 160)


def connect(host: str, port: int, receive_buffer: int = 0) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM)
    if receive_buffer:
        # The window that the SYN offers follows from it, so it must be set before.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.settimeout(5)
    connection.connect((host, port))
    return connection


def refused(host: str, port: int) -> None:
    """Try a port where nothing listens: its host answers with a RST."""
    connect(host, port).close()


def abort(host: str, port: int) -> None:
    """Give up amid a page: to close with no time to linger sends a RST instead of a FIN."""
    connection = connect(host, port)
    connection.send(PAGE)
    connection.recv(600)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def half(host: str, port: int) -> None:
    """Send the FIN with the request and read on: half a connection stays open."""
    connection = connect(host, port)
    connection.send(PAGE)
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(65536):
        pass


def idle(host: str, port: int) -> None:
    """Stay silent for a while: keep-alive probes."""
    connection = connect(host, port)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
    time.sleep(3.5)
    connection.send(PAGE)
    connection.recv(100)


def urgent(host: str, port: int) -> None:
    """Send a byte of urgent data."""
    connection = connect(host, port)
    connection.send(PAGE[:20])
    connection.send(b"!", socket.MSG_OOB)


def slow(host: str, port: int) -> None:
    """Do not read for a while what comes: zero windows, and probes of them."""
    connection = connect(host, port, receive_buffer=4096)
    connection.send(LARGE_PAGE)
    for _ in range(3):
        time.sleep(1.2)
        connection.recv(3000)


def pipeline(host: str, port: int) -> None:
    """Several DNS queries in one segment (RFC 7766, section 6.2.1.1)."""
    connection = connect(host, port)
    queries = b""
    for number, kind in enumerate((1, 28, 15), start=1):
        name = b"\x07example\x03org\x00"
        query = struct.pack("!6H", number, 0, 1, 0, 0, 0) + name + struct.pack("!2H", kind, 1)
        queries += struct.pack("!H", len(query)) + query
    connection.send(queries)
    answers = 0
    while answers < 3:
        answers += bool(connection.recv(4096))


def pieces(host: str, port: int) -> None:
    """One DNS query over TCP in four segments, the first with half of its length."""
    connection = connect(host, port)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    name = b"\x03big\x07example\x03org\x00"
    query = struct.pack("!6H", 4711, 0, 1, 0, 0, 0) + name + struct.pack("!2H", 16, 1)
    stream = struct.pack("!H", len(query)) + query
    for begin, end in ((0, 1), (1, 9), (9, 20), (20, len(stream))):
        connection.send(stream[begin:end])
        time.sleep(0.06)
    answer = b""
    while len(answer) < 2 or len(answer) < 2 + int.from_bytes(answer[:2], "big"):
        answer += connection.recv(4096)


def think(host: str, port: int) -> None:
    """A web server that takes a third of a second for everything, until killed."""
    body = b"at last\n" * 40
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    with socket.create_server((host, port), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        while True:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(4096)
                time.sleep(0.35)
                connection.sendall(head.encode() + body)


def chat(host: str, port: int) -> None:
    """Sixty UDP datagrams of several sizes, one of them of two fragments, to who echoes them."""
    generator = random.Random(port)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.settimeout(0.4)
        for number in range(60 if port == 7 else 3):
            size = 2500 if number == 2 else generator.choice(SIZES)
            client.sendto(generator.randbytes(size), (host, port))
            with contextlib.suppress(OSError):
                client.recv(65535)
            time.sleep(generator.uniform(0.02, 0.08))


def echo(host: str, port: int) -> None:
    """The other end of `chat`: send back what comes, until killed."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as server:
        server.bind((host, port))
        while True:
            data, sender = server.recvfrom(65535)
            server.sendto(data, sender)


KINDS = {
    f.__name__: f
    for f in (
        refused, abort, half, idle, urgent, slow, pipeline, pieces, chat, echo, think,
    )
}  # fmt: skip

if __name__ == "__main__":
    with contextlib.suppress(OSError):
        KINDS[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
