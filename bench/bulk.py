"""One large stream, or four: the daemon's bulk path beside the floor (path.c), and TLS beside OpenSSL alone."""
import itertools
import os
import re
import subprocess
import tempfile
import time

from host import GIB, Host, cpu_seconds, median, memory_mib, reset_peak

PATH = "build/gcc/bench/path"
ports = itertools.count(22000 + os.getpid() % 10000)


def certificates(directory):
    """A self-signed certificate for each side, which the other one knows."""
    for name in ("sender", "receiver"):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                        "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
                        "-keyout", f"{directory}/{name}.key", "-out", f"{directory}/{name}.crt"],
                       check=True, stderr=subprocess.DEVNULL)


def transport(kind, port, directory):
    """connect and serve of the two jobs."""
    address = f"127.0.0.1:{port}"
    if kind == "tcp":
        return ({"type": "tcp", "address": address},
                {"type": "tcp", "listen": address, "clients": {"127.0.0.1": "bench"}})
    files = {side: {"ca": f"{directory}/{other}.crt", "cert": f"{directory}/{side}.crt", "key": f"{directory}/{side}.key"}
             for side, other in (("sender", "receiver"), ("receiver", "sender"))}
    return ({"type": "tls", "address": address, "server_cn": "receiver", **files["sender"]},
            {"type": "tls", "listen": address, "client_cns": ["sender"], **files["receiver"]})


KEEP = [{"type": "regex", "regex": ".*"}]


def daemons(kind, streams, gib, settings, certs):
    """One replication of `streams` streams, `gib` in all: wall seconds, CPU-s/GiB of each side, peak MiB of each."""
    connect, serve = transport(kind, next(ports), certs)
    settings = {**settings, "SIMZFS_FULL": str(int(gib * GIB / streams))}
    with Host(**settings) as sender, Host(**settings) as receiver:
        for n in range(streams):
            sender.zfs("create", "-p", f"tank/fs{n}")
            sender.zfs("sim-version", f"tank/fs{n}@1", str(n + 1))
        receiver.zfs("create", "-p", "back/up")
        receiver.start([{"name": "sink", "type": "sink", "root_fs": "back/up", "serve": serve,
                         "recv": {"placeholder": {"encryption": "inherit"}}}])
        sender.start([{"name": "push", "type": "push", "connect": connect,
                       "filesystems": {"tank<": True, "tank": False}, "snapshotting": {"type": "manual"},
                       "replication": {"concurrency": {"steps": streams}},
                       "pruning": {"keep_sender": KEEP, "keep_receiver": KEEP}}])
        pids = [sender.daemon.pid, receiver.daemon.pid]
        idle = [memory_mib(pid, "VmRSS") for pid in pids]
        before = [cpu_seconds(pid) for pid in pids]
        for pid in pids:
            reset_peak(pid)
        sender.signal("wakeup", "push")
        _, start = sender.wait_for(lambda e: e["msg"] == "start replication attempt")
        end, stop = sender.wait_for(lambda e: e["msg"] == "replication attempt finished")
        if end["state"] != "done":
            raise RuntimeError(f"replication failed: {end}")
        cpu = [(cpu_seconds(pid) - b) / gib for pid, b in zip(pids, before)]
        peak = [memory_mib(pid) - i for pid, i in zip(pids, idle)]
        return stop - start, *cpu, *peak


def floor(send_mode, recv_mode, gib, settings):
    """The same stream through path.c: wall seconds, CPU-s/GiB of each side."""
    port = str(next(ports))
    with Host(**settings, SIMZFS_FULL=str(int(gib * GIB))) as host:
        host.zfs("create", "-p", "tank/fs")
        host.zfs("create", "-p", "back")
        host.zfs("sim-version", "tank/fs@1", "1")
        receive = subprocess.Popen(["zfs", "receive", "back/fs@1"], env=host.env, stdin=subprocess.PIPE)
        right = subprocess.Popen([PATH, "recv", recv_mode, port], stdout=receive.stdin, stderr=subprocess.PIPE)
        receive.stdin.close()
        right.stderr.readline()  # it listens
        start = time.monotonic()
        send = subprocess.Popen(["zfs", "send", "tank/fs@1"], env=host.env, stdout=subprocess.PIPE)
        left = subprocess.Popen([PATH, "send", send_mode, port], stdin=send.stdout)
        send.stdout.close()
        used = [os.wait4(p.pid, 0)[2] for p in (left, right)]
        for p in (send, receive):
            if p.wait() != 0:
                raise RuntimeError("the floor failed")
        wall = time.monotonic() - start
        left.returncode = right.returncode = 0  # waited for above
        return wall, *((u.ru_utime + u.ru_stime) / gib for u in used)


MODES = [("raw", "raw"), ("read", "read"), ("read", "splice"), ("splice", "splice")]
SOURCES = {"lent": {}, "copying": {"SIMZFS_COPY": "1"}}


def show(name, gib, runs, best=None):
    """A line of medians; the ratio to `best`, (wall, CPU), if given.  Returns (wall, CPU of both)."""
    wall, send, recv = (median([r[i] for r in runs]) for i in range(3))
    ratio = f"   {wall / best[0]:5.2f} x wall {(send + recv) / best[1]:5.2f} x CPU" if best else ""
    memory = f"   peak +{max(r[3] for r in runs):.1f} / +{max(r[4] for r in runs):.1f} MiB" if len(runs[0]) > 3 else ""
    print(f"  {name:34} {gib * GIB / 1e9 / wall:5.2f} GB/s  CPU-s/GiB {send:.2f} + {recv:.2f} = {send + recv:.2f}"
          f"{ratio}{memory}", flush=True)
    return wall, send + recv


def in_turns(repeat, kinds):
    """Runs all kinds once, then again: what changes on the machine meanwhile hits all of them."""
    runs = {name: [] for name in kinds}
    for _ in range(repeat):
        for name, run in kinds.items():
            runs[name].append(run())
    return runs


def bulk_tcp(options):
    """One stream over tcp on loopback, beside plain programs on the same path."""
    for source, settings in SOURCES.items():
        kinds = {f"{source}: plain {s}, {r}": lambda s=s, r=r: floor(s, r, options.size, settings) for s, r in MODES}
        kinds[f"{source}: zrepl"] = lambda: daemons("tcp", 1, options.size, settings, None)
        runs = in_turns(options.repeat, kinds)
        plain = [show(name, options.size, r) for name, r in runs.items() if "plain" in name]
        best = min(p[0] for p in plain), min(p[1] for p in plain)
        show(f"{source}: zrepl (to the best of each)", options.size, runs[f"{source}: zrepl"], best)


def openssl_speed():
    """GB/s of AES-128-GCM in records of 16 KiB on one core."""
    out = subprocess.run(["openssl", "speed", "-seconds", "2", "-bytes", "16384", "-evp", "aes-128-gcm"],
                         check=True, capture_output=True, text=True).stdout
    return float(re.search(r"^AES-128-GCM\s+([0-9.]+)k", out, re.M)[1]) * 1000 / 1e9


def bulk_tls(options):
    """One stream over tls, beside tcp, and beside the cipher alone."""
    with tempfile.TemporaryDirectory() as certs:
        certificates(certs)
        for source, settings in SOURCES.items():
            runs = in_turns(options.repeat, {
                "tcp": lambda: daemons("tcp", 1, options.size, settings, None),
                "tls": lambda: daemons("tls", 1, options.size, settings, certs)})
            tcp = show(f"{source}: zrepl tcp", options.size, runs["tcp"])
            show(f"{source}: zrepl tls (to tcp)", options.size, runs["tls"], tcp)
        speed = openssl_speed()
        print(f"  openssl speed, AES-128-GCM: {speed:.2f} GB/s, which is 2 x {GIB / 1e9 / speed:.2f} CPU-s/GiB for both sides")


def bulk_four(options):
    """Four streams at once, the same amount in all, beside one."""
    with tempfile.TemporaryDirectory() as certs:
        certificates(certs)
        for kind in ("tcp", "tls"):
            runs = in_turns(options.repeat, {
                n: lambda n=n: daemons(kind, n, options.size, SOURCES["copying"], certs) for n in (1, 4)})
            one = show(f"{kind}, copying: 1 stream", options.size, runs[1])
            show(f"{kind}, copying: 4 streams (to 1)", options.size, runs[4], one)


CASES = {"tcp": bulk_tcp, "tls": bulk_tls, "streams": bulk_four}
