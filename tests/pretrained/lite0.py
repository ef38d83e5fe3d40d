# SPDX-License-Identifier: Apache-2.0
"""EfficientNet-lite0 as an ONNX model, from the weights that PyTorch wrote, and what its input is made of."""
import numpy as np
from onnx import TensorProto, helper, numpy_helper

SIZE = 224
BLOCKS, STRIDED = 16, (1, 3, 5, 11)


class Network:
    """Nodes and initialisers so far; `x` is the value that the next layer reads."""

    def __init__(self, weights):
        self.weights, self.nodes, self.initializers = weights, [], []
        self.x = "image"

    def constant(self, name, values):
        self.initializers.append(numpy_helper.from_array(np.asarray(values, np.float32), name))

    def add(self, operator, inputs, **attributes):
        self.x = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [self.x], **attributes))

    def weight(self, name):
        self.constant(name, self.weights[name])
        return name

    def convolve(self, name, stride=1):
        weight = self.weights[f"{name}.weight"]
        groups = weight.shape[0] if weight.shape[1] == 1 else 1
        self.add("Conv", [self.x, self.weight(f"{name}.weight")], auto_pad="SAME_UPPER", group=groups,
                 kernel_shape=weight.shape[2:], strides=[stride, stride])

    def normalize(self, name):
        parts = [self.weight(f"{name}.{part}") for part in ("weight", "bias", "running_mean", "running_var")]
        self.add("BatchNormalization", [self.x, *parts], epsilon=1e-3)

    def relu6(self):
        self.add("Clip", [self.x, "zero", "six"])


def add_block(network, name, stride):
    """Widen by 1x1 (not in the first block), filter each channel, narrow by 1x1; add what came in where that fits."""
    entry = network.x
    expands = f"{name}._expand_conv.weight" in network.weights
    if expands:
        network.convolve(f"{name}._expand_conv")
        network.normalize(f"{name}._bn0")
        network.relu6()
    network.convolve(f"{name}._depthwise_conv", stride)
    network.normalize(f"{name}._bn1")
    network.relu6()
    network.convolve(f"{name}._project_conv")
    network.normalize(f"{name}._bn2")
    narrow = network.weights[f"{name}._project_conv.weight"].shape[0]
    if stride == 1 and expands and network.weights[f"{name}._expand_conv.weight"].shape[1] == narrow:
        network.add("Add", [network.x, entry])


def build(weights):
    """The ModelProto: image [N, 3, 224, 224] to probability [N, 1000]."""
    network = Network(weights)
    network.constant("zero", 0)
    network.constant("six", 6)
    network.convolve("_conv_stem", 2)
    network.normalize("_bn0")
    network.relu6()
    for index in range(BLOCKS):
        add_block(network, f"_blocks.{index}", 2 if index in STRIDED else 1)
    network.convolve("_conv_head")
    network.normalize("_bn1")
    network.relu6()
    network.add("GlobalAveragePool", [network.x])
    network.add("Flatten", [network.x])
    network.add("Gemm", [network.x, network.weight("_fc.weight"), network.weight("_fc.bias")], transB=1)
    network.nodes.append(helper.make_node("Softmax", [network.x], ["probability"], axis=-1))
    graph = helper.make_graph(network.nodes, "efficientnet_lite0",
                              [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 3, SIZE, SIZE])],
                              [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["N", 1000])],
                              network.initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def as_input(image):
    """A Pillow image's largest centred square, [3, 224, 224]."""
    side = min(image.size)
    left, top = ((size - side) // 2 for size in image.size)
    square = image.convert("RGB").crop((left, top, left + side, top + side))
    pixels = np.asarray(square.resize((SIZE, SIZE), resample=3), np.float32)
    return (pixels.transpose(2, 0, 1) - 127) / 128
