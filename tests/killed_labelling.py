"""Kill a labelling process wherever it is, start it again, compare. Run by test_ledger.py in a process without threads: it forks."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np

import fastcal as fc
from fastcal.labelling import _lines
from fastcal.labelling._drive import drive

sys.path.insert(0, str(Path(__file__).parent))
from toy_procedure import judge, ledger, toy

write, flush = os.pwrite, os.fdatasync


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def child(folder, moment, pause):
    """Label with a log; what was paid is noted just before the labeler returns."""
    count = {"labeler": 0, "write": 0, "flush": 0}

    def reached(place):
        count[place] += 1
        return moment == (place, count[place])

    def labeler(positions):
        time.sleep(pause)
        if reached("labeler"):
            die()
        with (folder / "paid").open("a") as file:
            file.write(json.dumps(positions.tolist()) + "\n")
        return judge(positions)

    def torn(descriptor, data, offset):
        if reached("write"):
            write(descriptor, data[: len(data) // 2], offset)
            die()
        return write(descriptor, data, offset)

    def flushed(descriptor):
        flush(descriptor)
        if reached("flush"):
            die()

    _lines.os.pwrite, _lines.os.fdatasync = torn, flushed
    book = ledger(log=folder / "log")
    (folder / "result").write_text(json.dumps(drive(toy(book), book, labeler)))


def forked(body, *arguments):
    pid = os.fork()
    if pid == 0:
        try:
            body(*arguments)
        except fc.LabelingError:
            os._exit(3)
        except BaseException as error:  # noqa: BLE001
            print(repr(error), flush=True)
            os._exit(1)
        os._exit(0)
    return pid


def ended(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def check(folder, whole, lives):
    """The same result, every label once in the log, and paid twice only what a dead process had not written."""
    assert json.loads((folder / "result").read_text()) == whole
    logged = [pair for line in (folder / "log").read_text().splitlines()[1:] for pair in json.loads(line)]
    assert len({position for position, _ in logged}) == len(logged) == whole["n_used"]
    paid = [position for line in (folder / "paid").read_text().splitlines() for position in json.loads(line)]
    assert len(paid) - len(set(paid)) <= 7 * (lives - 1)
    return len(paid) - len(set(paid))


def main(folder):
    book = ledger()
    whole = json.loads(json.dumps(drive(toy(book), book, judge)))
    for number, place in enumerate((place, at) for place in ("labeler", "write", "flush") for at in (1, 2, 8)):
        room = folder / f"chosen-{number}"
        room.mkdir()
        assert ended(forked(child, room, place, 0)) == -signal.SIGKILL
        assert ended(forked(child, room, None, 0)) == 0
        twice = check(room, whole, 2)
        assert (twice > 0) == (place[0] == "write" and place[1] > 1), place  # the first write is the header

    dice = random.Random(3)
    for number in range(4):
        room, lives = folder / f"random-{number}", 0
        room.mkdir()
        while lives < 6:
            lives += 1
            pid = forked(child, room, None, 0.0005)
            time.sleep(dice.uniform(0, 0.03))
            os.kill(pid, signal.SIGKILL)
            if ended(pid) == 0:
                break
        assert ended(forked(child, room, None, 0)) == 0
        check(room, whole, lives + 1)

    room = folder / "side-by-side"
    room.mkdir()
    codes = sorted(ended(pid) for pid in [forked(child, room, None, 0.001) for _ in range(4)])
    assert codes[0] == 0, codes
    assert set(codes) <= {0, 3}, codes
    check(room, whole, 1)


if __name__ == "__main__":
    np.seterr(all="raise")
    main(Path(sys.argv[1]))
