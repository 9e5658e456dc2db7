#!/usr/bin/env python3
"""A peer that does what no peer should, for net_hostile.test.

Usage: hostile.py ADDRESS CASE...      prints "CASE: what came of it", a line each
       hostile.py ADDRESS crowd N      opens N connections, says nothing on them, prints "open", and stays until killed

What came of it: "closed" without an answer; "error TEXT", the peer's words; "answer N", an answer of N bytes.
"""
import signal
import socket
import struct
import sys

BANNER = b"0000000056 ZREPL_ZFS_REPLICATION PROTOVERSION=0007 EXTENSIONS=0000\n"
REQUEST_HEAD, REQUEST, RESPONSE_HEAD, RESPONSE, STREAM, END = 1, 2, 3, 4, 5, 0x20000
LIMIT = 60  # seconds


# ---- bytes ----

def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def version(name, kind=0):
    return field(1, kind) + field(2, name) + field(3, 4711) + field(4, 12) + field(5, "2024-01-02T03:04:05Z")


PROTECTION = field(1, field(1, 1) + field(2, 1))


def receive_request(fs, to="1"):
    return field(1, fs) + field(2, version(to)) + field(4, PROTECTION)


def send_request(fs, to="1", start=None, token=""):
    return field(1, fs) + (field(2, start) if start else b"") + field(3, version(to)) + field(4, token) + field(6, PROTECTION)


def frame(kind, payload=b""):
    return struct.pack(">II", kind, len(payload)) + payload


# ---- connections ----

def dial(address, hello=BANNER, label="zrepl_data"):
    s = socket.create_connection((address, 8888), timeout=LIMIT)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    send(s, hello + label.encode().ljust(64, b"\0"))
    return s


def send(s, data):
    try:
        s.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        pass  # what came of it is seen when reading


def read_all(s):
    """All that comes until the end, or a silence."""
    out = b""
    try:
        while part := s.recv(65536):
            out += part
    except ConnectionResetError:
        pass
    except socket.timeout:
        return out + b"SILENCE"
    return out


def bulk(address, *frames):
    s = dial(address)
    send(s, b"".join(frames))
    s.shutdown(socket.SHUT_WR)
    got, message = read_all(s)[len(BANNER):], b""
    while len(got) >= 8:
        kind, length = struct.unpack(">II", got[:8])
        if kind in (RESPONSE_HEAD, RESPONSE, STREAM):
            message += got[8:8 + length]
        got = got[8 + length:]
    if message.startswith(b"HANDLER ERROR:\n"):
        return "error " + message[15:].decode().replace("\n", " ")
    return f"answer {len(message)}" if message else "closed"


def request(address, endpoint, body, *more):
    return bulk(address, frame(REQUEST_HEAD, endpoint.encode()), frame(END), frame(REQUEST, body), frame(END), *more)


def stream(n=100000):
    return frame(STREAM, b"x" * n) + frame(END)


def h2(kind, flags, stream_id, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream_id) + payload


def call(address, method, body, length=None):
    headers = ((":method", "POST"), (":scheme", "http"), (":path", f"/Replication/{method}"), (":authority", ""),
               ("content-type", "application/grpc"), ("te", "trailers"))
    block = b"".join(b"\0" + bytes([len(k)]) + k.encode() + bytes([len(v)]) + v.encode() for k, v in headers)
    s = dial(address, label="zrepl_control")
    message = struct.pack(">BI", 0, len(body) if length is None else length) + body
    data = b"".join(h2(0, 0, 1, message[i:i + 16384]) for i in range(0, len(message), 16384))
    send(s, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + h2(4, 0, 0) + h2(1, 4, 1, block) + data + h2(0, 1, 1))
    got, answer = b"", 0
    try:
        while part := s.recv(65536):
            got += part
            at = len(BANNER)
            answer = 0
            while at + 9 <= len(got):
                size, kind, flags, stream_id = struct.unpack(">IBBI", b"\0" + got[at:at + 9])
                if at + 9 + size > len(got):
                    break
                if kind == 0:
                    answer += size
                at += 9 + size
                if stream_id == 1 and (flags & 1 and kind in (0, 1) or kind == 3):
                    return f"answer {answer}" if answer else "error"
    except ConnectionResetError:
        pass
    except socket.timeout:
        return "SILENCE"
    return "closed"


# ---- what it does ----

def banners(address, hello):
    s = dial(address, hello)
    got = read_all(s)
    return "closed" if got in (b"", BANNER) else f"answer {len(got)}"


FAR = ("..", "../../..", "a/../../../b", "a/../b", "a//b", "/a", "a/", "", ".", "a/./b", "-r", "a@b", "a#b", "a%b", "a\nb",
       "a\0b", "x" * 300, "a/" * 200 + "a")
CASES = {
    "no-banner": lambda a: banners(a, b"GET / HTTP/1.1\r\nHost: you\r\n\r\n"),
    "long-banner": lambda a: banners(a, b"9999999999 ZREPL_ZFS_REPLICATION"),
    "old-banner": lambda a: banners(a, BANNER.replace(b"0007", b"0006")),
    "no-label": lambda a: "closed" if read_all(dial(a, label="something")) == BANNER else "answer",
    "no-such-endpoint": lambda a: request(a, "/v1/destroy", b""),
    "huge-frame": lambda a: bulk(a, struct.pack(">II", REQUEST_HEAD, 0xFFFFFFFF) + b"x" * 1000000),
    "long-head": lambda a: bulk(a, frame(REQUEST_HEAD, b"/" * 40000), frame(END)),
    "long-request": lambda a: bulk(a, frame(REQUEST_HEAD, b"/v1/recv"), frame(END), *[frame(REQUEST, b"\n" * 500000)] * 10),
    "no-such-frame": lambda a: bulk(a, frame(0x02000000)),
    "no-protobuf": lambda a: request(a, "/v1/recv", b"\xff" * 1000, stream()),
    "no-protection": lambda a: request(a, "/v1/recv", field(1, "a") + field(2, version("1")), stream()),
    "no-stream": lambda a: request(a, "/v1/recv", receive_request("mine"), stream()),
    "cut-stream": lambda a: request(a, "/v1/recv", receive_request("mine"), frame(STREAM, b"x" * 100000)),
    "receive-far": lambda a: [request(a, "/v1/recv", receive_request(fs), stream()) for fs in FAR],
    "receive-names": lambda a: [request(a, "/v1/recv", receive_request("mine", to), stream())
                                for to in ("", "a@b", "a/b", "-r", "a,b", "a%b", "x" * 300)],
    "send-from-sink": lambda a: request(a, "/v1/send", send_request("a")),
    "call-far": lambda a: [call(a, method, field(1, fs) + field(2, version("1"))) for fs in ("..", "../../fs", "../you/fs", "fs/../../../fs", "", "a//b")
                           for method in ("ListFilesystemVersions", "DestroySnapshots", "ReplicationCursor")],
    "destroy-names": lambda a: [call(a, "DestroySnapshots", field(1, "fs") + field(2, version(name, kind)))
                                for name, kind in (("%", 0), ("1%", 0), ("1%2", 0), ("1,2", 0), ("a/b", 0), ("1", 1))],
    "no-such-call": lambda a: call(a, "Destroy", b""),
    "long-message": lambda a: call(a, "ListFilesystemVersions", b"\n" * 5000000),
    "false-length": lambda a: call(a, "ListFilesystems", b"\n", 0xFFFFFFFF),
    "send-far": lambda a: [request(a, "/v1/send", send_request(fs)) for fs in (*FAR, sys.argv[3])],
    "send-names": lambda a: [request(a, "/v1/send", send_request(sys.argv[4], to)) for to in ("-R", "1 2", "a/b", "")],
    "send-token": lambda a: request(a, "/v1/send", send_request(sys.argv[4], token="1-" + "a" * 200)),
    "call-outside": lambda a: [call(a, method, field(1, sys.argv[3]) + field(2, version("1")))
                               for method in ("ListFilesystemVersions", "DestroySnapshots", "ReplicationCursor")],
}
TO_SOURCE = ("send-far", "send-names", "send-token", "call-outside", "receive-to-source")
CASES["receive-to-source"] = lambda a: request(a, "/v1/recv", receive_request(sys.argv[4]), stream())


def main():
    address, what = sys.argv[1:3]
    if what == "crowd":
        crowd = [socket.create_connection((address, 8888)) for _ in range(int(sys.argv[3]))]
        print("open", flush=True)
        while crowd:
            signal.pause()
    for case in CASES if what == "sink" else TO_SOURCE:
        if what == "sink" and case in TO_SOURCE:
            continue
        results = CASES[case](address)
        for result in results if isinstance(results, list) else [results]:
            print(f"{case}: {result}", flush=True)


main()
