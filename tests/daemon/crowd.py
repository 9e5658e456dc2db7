"""Connections that do nothing, and a client that wants to be served meanwhile.

Usage: crowd.py PORT PID HALF_OPEN IDLE

The silent ones come from 127.0.0.3, the idle ones from 127.0.0.1, the client from 127.0.0.2. Prints, as NAME VALUE:
    kept        idle connections that are still open in the end
    served      requests of the client that were answered rightly
    slowest     of them, in ms
    memory      what the daemon's memory (RSS) grew by, in KiB
    threads     of the daemon, with all of them connected
"""
import resource
import select
import socket
import struct
import sys
import time

BANNER = b"0000000056 ZREPL_ZFS_REPLICATION PROTOVERSION=0007 EXTENSIONS=0000\n"
END = struct.pack(">II", 0x20000, 0)
OK = struct.pack(">II", 3, 11) + b"HANDLER OK\n" + END
REQUESTS = 20


def status(pid, field):
    for line in open(f"/proc/{pid}/status", encoding="ascii"):
        if line.startswith(field + ":"):
            return int(line.split()[1])
    raise RuntimeError(f"no {field}")


def connect(source, port):
    return socket.create_connection(("127.0.0.1", port), timeout=10, source_address=(source, 0))


def read(conn, n):
    data = b""
    while len(data) < n:
        more = conn.recv(n - len(data))
        if not more:
            raise EOFError(f"ended after {data!r}")
        data += more
    return data


def ping(port):
    """One bulk request: does the echo come back?"""
    conn = connect("127.0.0.2", port)
    conn.sendall(BANNER + b"zrepl_data".ljust(64, b"\0") + struct.pack(">II", 1, 8) + b"/v1/ping" + END
                 + struct.pack(">II", 2, 4) + b"\x0a\x02hi" + END)
    answer = OK + struct.pack(">II", 4, 4) + b"\x0a\x02hi" + END
    right = read(conn, len(BANNER)) == BANNER and read(conn, len(answer)) == answer
    conn.sendall(struct.pack(">II", 0x10000000, 0))
    conn.close()
    return right


def idle(port):
    """A control connection that has said hello to HTTP/2, and then nothing more."""
    conn = connect("127.0.0.1", port)
    conn.sendall(BANNER + b"zrepl_control".ljust(64, b"\0") + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                 + b"\0\0\0\4\0\0\0\0\0" + b"\0\0\0\4\1\0\0\0\0")
    read(conn, len(BANNER) + 9)  # and the head of its SETTINGS: it is served
    return conn


def is_open(conn):
    if not select.select([conn], [], [], 0)[0]:
        return True
    try:
        return conn.recv(65536, socket.MSG_PEEK) != b""
    except ConnectionError:
        return False


def main():
    port, pid, half_open, idlers = map(int, sys.argv[1:])
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    before = status(pid, "VmRSS")
    ping(port)
    crowd = [idle(port) for _ in range(idlers)]
    silent = [connect("127.0.0.3", port) for _ in range(half_open)]
    served, slowest = 0, 0.0
    for _ in range(REQUESTS):
        start = time.monotonic()
        served += ping(port)
        slowest = max(slowest, time.monotonic() - start)
    print(f"threads {status(pid, 'Threads')}")
    print(f"memory {status(pid, 'VmRSS') - before}")
    print(f"kept {sum(map(is_open, crowd))}")
    print(f"served {served}")
    print(f"slowest {slowest * 1000:.0f}")
    for conn in silent + crowd:
        conn.close()


main()
