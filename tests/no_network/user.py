# SPDX-License-Identifier: Apache-2.0
"""As user.cpp, from Python."""

import sys

import numpy as np

import inferometer

model, engine, isolation, cache_dir = sys.argv[1:]
if not {e.name: e.available for e in inferometer.engines()}[engine]:
    sys.exit(77)
for _ in range(2):
    m = inferometer.load(model, engine=engine, batch_size=2, isolation=isolation, cache_dir=cache_dir)
    port = m.info.inputs[0]
    x = np.zeros((3, *port.shape[1:]), np.float32)
    assert m.predict(x).shape[0] == 3
    assert m.predict_async(x).result().shape[0] == 3
    del m
