#!/usr/bin/env python3
"""Read /metrics of a daemon as strictly as the text format 0.0.4 is written down, and evaluate an expression about it.

Usage: scrape.py HOST:PORT EXPRESSION
       scrape.py HOST:PORT --raw FILE     send the bytes of FILE, print the status line, or how the connection ended
       scrape.py HOST:PORT --crowd        forty connections of 127.0.0.9 say nothing; is another one served?

In the expression:
    T            {family: type}
    v(name, label=value, ...)    the value of that one series
    n(name, label=value, ...)    how many series with these labels there are
    labels(name)                 the label names of that metric, sorted
"""
import http.client
import math
import re
import socket
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)')


def value(text):
    assert re.fullmatch(r"[+-]?Inf|NaN|-?[0-9]+(\.[0-9]+)?(e[+-][0-9]+)?", text), text
    return float(text)


def labels_of(text):
    found, at = {}, 0
    while at < len(text):
        m = LABEL.match(text, at)
        assert m, text
        assert m[1] not in found, f"twice: {text}"
        found[m[1]] = re.sub(r"\\(.)", lambda e: "\n" if e[1] == "n" else e[1], m[2])
        at = m.end()
        assert m[3] or at == len(text)
    assert not text.endswith(","), text
    return found


def check_histogram(name, series):
    """Bounds rise and end with +Inf, counts never fall, _count is the last of them, all labels have all three."""
    groups = {}
    for sample, labels, v in series:
        rest = frozenset((k, x) for k, x in labels.items() if k != "le")
        groups.setdefault(rest, {}).setdefault(sample[len(name):], []).append((labels.get("le"), v))
    for group in groups.values():
        assert set(group) == {"_bucket", "_sum", "_count"}, group
        bounds = [float(le) for le, _ in group["_bucket"]]
        counts = [v for _, v in group["_bucket"]]
        assert bounds == sorted(set(bounds)) and bounds[-1] == math.inf, bounds
        assert counts == sorted(counts) and group["_count"] == [(None, counts[-1])], group
        assert len(group["_sum"]) == 1 and group["_sum"][0][1] >= 0, group


def parse(text):
    """{family: type}, and [(name, labels, value)]."""
    types, helps, samples, family = {}, set(), [], None
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        if m := re.fullmatch(rf"# HELP ({NAME}) (.+)", line):
            assert m[1] not in helps, f"help twice: {line}"
            helps.add(m[1])
            family = m[1]
        elif m := re.fullmatch(rf"# TYPE ({NAME}) (counter|gauge|histogram)", line):
            assert m[1] == family and family not in types, line
            types[family] = m[2]
        else:
            m = SAMPLE.fullmatch(line)
            assert m, f"neither comment nor sample: {line}"
            base = re.sub("_(bucket|sum|count)$", "", m[1]) if types[family] == "histogram" else m[1]
            assert base == family, f"{line} among {family}"
            samples.append((m[1], labels_of(m[2] or ""), value(m[3])))
    keys = [(name, frozenset(labels.items())) for name, labels, _ in samples]
    assert len(keys) == len(set(keys)), "a series comes twice"
    assert helps == set(types)
    for name, kind in types.items():
        own = [s for s in samples if re.fullmatch(name + ("(_bucket|_sum|_count)" if kind == "histogram" else ""), s[0])]
        assert own, f"{name} has no series"
        if kind == "histogram":
            check_histogram(name, own)
        if kind == "counter":
            assert all(v >= 0 for _, _, v in own)
    return types, samples


def scrape(where):
    connection = http.client.HTTPConnection(where, timeout=30)
    connection.request("GET", "/metrics")
    answer = connection.getresponse()
    assert answer.status == 200, answer.status
    assert answer.getheader("Content-Type") == "text/plain; version=0.0.4; charset=utf-8", answer.getheader("Content-Type")
    return parse(answer.read().decode("utf-8"))


def send_raw(where, path):
    host, port = where.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=30) as s:
        try:
            s.sendall(open(path, "rb").read())
            s.shutdown(socket.SHUT_WR)
            said = b""
            while b"\r\n" not in said and (got := s.recv(65536)):
                said += got
        except OSError as e:
            return type(e).__name__
    return said.split(b"\r\n")[0].decode() or "closed"


def crowd(where):
    host, port = where.rsplit(":", 1)
    held = [socket.create_connection((host, int(port)), timeout=30, source_address=("127.0.0.9", 0)) for _ in range(40)]
    scrape(where)
    for s in held:
        s.close()
    return "served"


def main():
    if sys.argv[2] == "--crowd":
        print(crowd(sys.argv[1]))
        return
    if sys.argv[2] == "--raw":
        print(send_raw(sys.argv[1], sys.argv[3]))
        return
    types, samples = scrape(sys.argv[1])

    def matching(name, **labels):
        return [v for s, have, v in samples if s == name and labels.items() <= have.items()]

    def only(name, **labels):
        found = matching(name, **labels)
        return found[0] if len(found) == 1 else found

    names = {"T": types, "v": only, "n": lambda *a, **k: len(matching(*a, **k)), "v_all": matching,
             "labels": lambda name: sorted(next(have for s, have, _ in samples if s == name))}
    print(eval(sys.argv[2], names))


main()
