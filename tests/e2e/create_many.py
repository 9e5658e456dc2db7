#!/usr/bin/env python3
"""Creates filesystems, many at a time: create_many.py NAME... on standard input, one a line.

zfs create would take a process and a transaction group for each.
"""
import ctypes
import sys
from concurrent.futures import ThreadPoolExecutor

lzc = ctypes.CDLL("libzfs_core.so.3")
ZFS_TYPE = 2  # LZC_DATSET_TYPE_ZFS


def create(name):
    return name, lzc.lzc_create(name.encode(), ZFS_TYPE, None, None, 0)


if lzc.libzfs_core_init() != 0:
    sys.exit("cannot open libzfs_core")
with ThreadPoolExecutor(64) as pool:
    bad = [r for r in pool.map(create, sys.stdin.read().split()) if r[1] != 0]
if bad:
    sys.exit(f"{len(bad)} cannot be created, first {bad[0][0]}: error {bad[0][1]}")
