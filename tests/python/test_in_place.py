# SPDX-License-Identifier: Apache-2.0
"""Nothing is copied, nothing is kept, and Python goes on meanwhile."""

import gc
import os
import signal
import sys
import threading
import time
import weakref

import numpy as np

BIG = 64 << 20
SLACK = 8 << 20


def rss_bytes(key):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(key)) << 10


def peak_growth(call):
    """By how much the resident set rose at most during the call."""
    gc.collect()
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    before = rss_bytes("VmRSS")
    result = call()
    return rss_bytes("VmHWM") - before, result


def big_pair():
    x = np.ones((16, BIG // 64), np.float32)
    return x, np.full_like(x, 2)


def test_inputs_are_read_and_outputs_written_in_place(identity):
    x, y = big_pair()
    m = identity(shape=("N", x.shape[1]), batch_size=4)
    m.predict(x[:1], out=y[:1])  # the first call sets things up
    growth, _ = peak_growth(lambda: m.predict(x, out=y))
    assert growth < SLACK
    assert (y == x).all()


def test_an_output_costs_its_own_memory_and_no_copy(identity):
    x, _ = big_pair()
    m = identity(shape=("N", x.shape[1]), batch_size=4)
    growth, y = peak_growth(lambda: m.predict(x))
    assert growth < x.nbytes + SLACK
    assert not y.flags.owndata and y.flags.writeable and y.flags.c_contiguous
    assert y.base is not None
    assert np.from_dlpack(y).ctypes.data == y.ctypes.data


def test_memory_stays_flat(identity):
    x, _ = big_pair()
    m = identity(shape=("N", x.shape[1]), batch_size=16)
    m.predict(x)
    growth, _ = peak_growth(lambda: [m.predict(x) is None for _ in range(10)])
    assert growth < 2 * x.nbytes  # at most the one that goes and the one that comes


def test_references_are_given_back(identity):
    m = identity()
    x, y = np.ones((3, 4), np.float32), np.ones((3, 4), np.float32)
    before = sys.getrefcount(x), sys.getrefcount(y)
    for _ in range(100):
        m.predict(x)
        m.predict([x])
        m.predict({"x": x}, out={"y": y})
        try:
            m.predict(x[:, ::2])
        except TypeError:
            pass
    assert (sys.getrefcount(x), sys.getrefcount(y)) == before


def test_an_output_frees_its_memory(identity):
    m = identity()
    y = m.predict(np.ones((3, 4), np.float32))
    gone = weakref.ref(y)
    del y
    gc.collect()
    assert gone() is None


def test_a_read_only_input_is_taken(identity):
    x = np.ones((2, 4), np.float32)
    x.setflags(write=False)
    np.testing.assert_array_equal(identity().predict(x), x)


def test_what_only_speaks_dlpack_is_taken(identity):
    class Array:
        def __init__(self, array):
            self.array = array

        def __dlpack__(self, **options):
            return self.array.__dlpack__(**options)

        def __dlpack_device__(self):
            return self.array.__dlpack_device__()

    x = np.arange(8, dtype=np.float32).reshape(2, 4)
    y = np.zeros_like(x)
    m = identity()
    np.testing.assert_array_equal(m.predict(Array(x)), x)
    m.predict(Array(x), out=Array(y))
    np.testing.assert_array_equal(y, x)


def test_python_goes_on_while_predict_computes(identity):
    """Another thread takes the time; some of its readings must lie well within the call."""
    m = identity(times_us="[400000]", sleeps=True)
    done, readings = threading.Event(), []

    def watch():
        while not done.is_set():
            readings.append(time.monotonic())
            done.wait(0.001)

    watcher = threading.Thread(target=watch)
    watcher.start()
    begin = time.monotonic()
    m.predict(np.zeros((1, 4), np.float32))
    end = time.monotonic()
    done.set()
    watcher.join()
    assert end - begin > 0.3
    assert any(begin + 0.1 < t < end - 0.1 for t in readings)


def test_python_goes_on_while_a_worker_computes(identity):
    """The worker is stopped and only this thread can wake it: with the GIL held nothing would."""
    before = children()
    m = identity(isolation="process")
    (worker,) = children() - before
    x = np.ones((1, 4), np.float32)
    os.kill(worker, signal.SIGSTOP)
    future = m.predict_async(x)
    os.kill(worker, signal.SIGCONT)
    np.testing.assert_array_equal(future.result(60), x)


def test_two_threads_predict_at_once(identity):
    """The first call can't end before the second has: its worker is stopped until then."""
    models, workers = [], []
    for _ in range(2):
        before = children()
        models.append(identity(isolation="process"))
        workers += children() - before
    x = np.ones((1, 4), np.float32)
    os.kill(workers[0], signal.SIGSTOP)
    first = models[0].predict_async(x)
    assert (models[1].predict(x) == 1).all()
    assert not first.done()
    os.kill(workers[0], signal.SIGCONT)
    assert (first.result(60) == 1).all()


def children():
    pids = set()
    for task in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{task}/children") as file:
            pids |= {int(pid) for pid in file.read().split()}
    return pids
