"""What is done in memory: reading a configuration, deciding what to keep."""
import subprocess
import tempfile
import time

from host import median

JOBS, SNAPSHOTS = 1000, 100_000

PUSH = """\
- name: push_{n}
  type: push
  connect:
    type: tls
    address: "backup{n}.example.com:8888"
    ca: /etc/zrepl/backup{n}.crt
    cert: /etc/zrepl/host.crt
    key: /etc/zrepl/host.key
    server_cn: backup{n}
  filesystems:
    "tank/{n}<": true
    "tank/{n}/tmp<": false
    "tank/{n}/tmp/keep": true
  send:
    encrypted: true
  snapshotting:
    type: periodic
    prefix: zrepl_{n}_
    interval: 10m
  pruning:
    keep_sender:
    - type: not_replicated
    - type: last_n
      count: 10
      regex: "^zrepl_.*"
    - type: regex
      negate: true
      regex: "^zrepl_.*"
    keep_receiver: # for a year
    - type: grid
      grid: 1x1h(keep=all) | 24x1h | 30x1d | 12x30d
      regex: "^zrepl_.*"
    - type: regex
      negate: true
      regex: "^zrepl_.*"
"""
SINK = """\
- name: sink_{n}
  type: sink
  root_fs: "backup/{n}"
  serve:
    type: tls
    listen: ":{port}"
    ca: /etc/zrepl/ca.crt
    cert: /etc/zrepl/host.crt
    key: /etc/zrepl/host.key
    client_cns:
    - laptop1
    - homeserver
  recv:
    placeholder:
      encryption: inherit
"""
SNAP = """\
- name: snap_{n}
  type: snap
  filesystems: {{"local/{n}<": true, "local/{n}/tmp": false}}
  snapshotting:
    type: cron
    prefix: zrepl_{n}_
    cron: "*/15 * * * *"
  pruning:
    keep:
    - type: grid
      grid: 1x1h(keep=all) | 24x1h | 14x1d
      regex: "^zrepl_.*"
    - {{type: regex, negate: true, regex: "^zrepl_.*"}}
"""


def elapsed_ms(*command):
    start = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return (time.monotonic() - start) * 1e3


def rounds(options):
    return range(max(options.repeat, 5))


def config(options):
    """`zrepl configcheck` of a file of 1,000 jobs, beside libyaml's events of the same file. Aim: under 50 ms."""
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        file.write("jobs:\n")
        for n in range(JOBS):
            file.write((PUSH, SINK, SNAP)[n % 3].format(n=n, port=9000 + n))
        file.flush()
        check = ["build/gcc/zrepl", "--config", file.name, "configcheck", "--skip-cert-check"]
        said = subprocess.run(check, check=True, stderr=subprocess.PIPE, text=True).stderr
        if said:
            print(said[:500])
        times = [(elapsed_ms(*check), elapsed_ms("build/gcc/bench/yaml", file.name))
                 for _ in rounds(options)]
    ours, yaml = (median(t) for t in zip(*times))
    print(f"{JOBS} jobs: configcheck {ours:.1f} ms, libyaml {yaml:.1f} ms; "
          f"configcheck / libyaml = {ours / yaml:.2f}")


def retention(options):
    """Four rules decide about 100,000 snapshots, beside qsort(3) of the same by date. Aim: under 100 ms."""
    times = [[float(word) for word in
              subprocess.run(["build/gcc/bench/retention", str(SNAPSHOTS)], check=True, capture_output=True,
                             text=True).stdout.split()] for _ in rounds(options)]
    ours, qsort, destroyed = (median(t) for t in zip(*times))
    print(f"{SNAPSHOTS} snapshots, of which {destroyed:.0f} go: {ours:.1f} ms, qsort {qsort:.1f} ms; "
          f"decision / qsort = {ours / qsort:.1f}")


CASES = {case.__name__: case for case in (config, retention)}
