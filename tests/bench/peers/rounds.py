"""How a bench talks to a peer: `--list` prints the names; `NAME FOLDER` starts one, which answers each line on standard
input with a round's seconds and result."""

import sys
import time

import numpy as np


def serve(names, start):
    """`start(name, folder)` gives what does a round and returns the words of the answer, or None where the peer would
    not finish."""
    if sys.argv[1] == "--list":
        print("\n".join(names))
        return
    work = start(sys.argv[1], sys.argv[2])
    if work is None:
        return
    for _ in sys.stdin:
        print(*work(), flush=True)


def median_of(run, least):
    """The median seconds of as many runs as take `least` seconds, one at least, so that short runs too are warm; and
    what the last gave."""
    times = []
    while sum(times) < least:
        start = time.perf_counter()
        result = run()
        times.append(time.perf_counter() - start)
    return np.median(times), result
