# SPDX-License-Identifier: Apache-2.0
"""predict_async: futures of the standard library."""

import concurrent.futures
import gc
import weakref

import numpy as np
import pytest

import inferometer


def test_results_come_in_any_order(identity):
    m = identity(engine="reference", batch_size=2, streams=2, threads=2)
    xs = [np.full((3, 4), i, np.float32) for i in range(20)]
    futures = {m.predict_async(x): x for x in xs}
    for future in concurrent.futures.as_completed(futures, 120):
        np.testing.assert_array_equal(future.result(), futures[future])


def test_forms_and_out(pair):
    m = pair()
    x = {"image": np.ones((2, 2, 3), np.float32), "count": np.array([[1], [2]])}
    assert list(m.predict_async(x).result(60)) == ["image_out", "count_out"]
    out = [np.zeros((2, 2, 3), np.float32), np.zeros((2, 1), np.int64)]
    assert m.predict_async(list(x.values()), out=out).result(60) is out
    np.testing.assert_array_equal(out[1], x["count"])


def test_errors_come_with_the_future(identity):
    future = identity().predict_async(np.ones((2, 3), np.float32))
    with pytest.raises(inferometer.InvalidError):
        future.result(60)


def test_what_waits_can_be_cancelled(identity):
    m = identity(times_us="[300000]", sleeps=True)
    x = np.ones((1, 4), np.float32)
    first, second = m.predict_async(x), m.predict_async(x)
    assert second.cancel()
    np.testing.assert_array_equal(first.result(60), x)


def test_the_future_keeps_model_and_arrays(identity):
    m = identity(times_us="[100000]", sleeps=True)
    x = np.ones((1, 4), np.float32)
    gone = weakref.ref(x)
    future = m.predict_async(x)
    del x, m
    gc.collect()
    assert (future.result(60) == 1).all()
    del future
    # The pool's thread drops its last task a moment after the result is there.
    for _ in range(1000):
        if gone() is None:
            break
        concurrent.futures.wait([], 0.01)
        gc.collect()
    assert gone() is None
