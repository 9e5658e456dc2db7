"""Machines to measure: each has a simulated zfs with pools of its own, and may run a daemon."""
import json
import os
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

ZREPL = os.path.abspath("build/gcc/zrepl")
SIMZFS = os.path.abspath("build/gcc/tests/sim/simzfs")
GIB = 1 << 30


def cpu_seconds(pid):
    """What all threads of a process have used so far, without its children."""
    return time.clock_gettime((~pid << 3) | 2)  # see clock_getcpuclockid(3)


def memory_mib(pid, field="VmHWM"):
    for line in open(f"/proc/{pid}/status", encoding="ascii"):
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"no {field}")


def reset_peak(pid):
    with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as f:
        f.write("5")


def median(values):
    return statistics.median(values)


class Host:
    """A directory with pools, and the environment in which its `zfs` finds them."""

    def __init__(self, **settings):
        self.dir = tempfile.mkdtemp(prefix="zrepl-bench.")
        for d in ("bin", "state", "run"):
            os.mkdir(f"{self.dir}/{d}", 0o700)
        os.symlink(SIMZFS, f"{self.dir}/bin/zfs")
        os.symlink(SIMZFS, f"{self.dir}/bin/zpool")
        self.env = {**os.environ, "SIMZFS_DIR": f"{self.dir}/state",
                    "PATH": f"{self.dir}/bin:{os.environ['PATH']}", **settings}
        self.daemon = None
        self.socket = f"{self.dir}/run/control"

    def zfs(self, *words):
        subprocess.run(["zfs", *words], env=self.env, check=True)

    def start(self, jobs, level="info"):
        """Runs the daemon; returns when it takes commands, or connections (of one job)."""
        config = {"global": {"logging": [{"type": "stdout", "level": level, "format": "json"}],
                             "control": {"sockpath": self.socket},
                             "serve": {"stdinserver": {"sockdir": f"{self.dir}/run"}}},
                  "jobs": jobs}
        self.config = f"{self.dir}/zrepl.yml"
        with open(self.config, "w", encoding="utf-8") as f:
            json.dump(config, f)  # which is YAML as well
        self.daemon = subprocess.Popen([ZREPL, "--config", self.config, "daemon"], env=self.env,
                                       stdout=subprocess.PIPE, text=True)
        ready = "listening on" if any("serve" in job for job in jobs) else "starting daemon"
        self.wait_for(lambda e: ready in e["msg"])

    def wait_for(self, is_it):
        """The next log entry of which that is true, and when it was read."""
        for line in self.daemon.stdout:
            entry = json.loads(line)
            if entry["level"] in ("error", "warn"):
                print("   ", line.strip())
            if is_it(entry):
                return entry, time.monotonic()
        raise RuntimeError("the daemon ended")

    def signal(self, what, job):
        subprocess.run([ZREPL, "--config", self.config, "signal", what, job], env=self.env, check=True)

    def close(self):
        if self.daemon:
            self.daemon.send_signal(signal.SIGTERM)
            self.daemon.stdout.close()
            self.daemon.wait()
        shutil.rmtree(self.dir)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
