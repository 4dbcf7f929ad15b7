"""The float environment of a host that flushes denormals."""

from __future__ import annotations

import ctypes
import mmap
import platform
import threading
from contextlib import contextmanager

import pytest

from fastcal._backend import _numba_pool

MACHINE_CODE = {  # (read the control register, write it, bits that flush denormals)
    "x86_64": ("0fae1fc3", "0fae17c3", 0x8040),  # stmxcsr [rdi]; ret   ldmxcsr [rdi]; ret   FTZ | DAZ
    "aarch64": ("01443bd5010000b9c0035fd6", "010040b901441bd5c0035fd6", 1 << 24),  # mrs x1, fpcr; str w1, [x0]; ret ...   FZ
}


def start_numba_threads():
    """Start every thread of the pool of the Numba backend: one started later would keep the float environment set here for good."""
    pool = _numba_pool._pool()
    together = threading.Barrier(pool._max_workers)
    for waiting in [pool.submit(together.wait) for _ in range(pool._max_workers)]:
        waiting.result()


@contextmanager
def denormals_flushed():
    """Set DAZ and FTZ in the calling thread, as a library built with -ffast-math does."""
    if platform.machine() not in MACHINE_CODE:
        pytest.skip(f"no machine code to set the float environment of {platform.machine()}")
    start_numba_threads()
    read_code, write_code, flush = MACHINE_CODE[platform.machine()]
    functions, pages = [], []
    for code in (read_code, write_code):
        try:
            page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        except OSError:
            pytest.skip("this system forbids writable, executable memory")
        page.write(bytes.fromhex(code))
        pages.append(page)
        functions.append(ctypes.CFUNCTYPE(None, ctypes.c_void_p)(ctypes.addressof(ctypes.c_char.from_buffer(page))))
    read, write = functions
    old, new = ctypes.c_uint32(0), ctypes.c_uint32(0)
    read(ctypes.byref(old))
    new.value = old.value | flush
    write(ctypes.byref(new))
    try:
        yield
    finally:
        write(ctypes.byref(old))
