# SPDX-License-Identifier: Apache-2.0
"""Fifty-seven malformed or odd ONNX files, each a few lines.

FILES: name -> (what must become of it, maker). A maker gets the folder of its file and gives the model or its bytes.
What must become of it: REFUSED by everything; NOT_RUN: `inspect` may describe it, engines must refuse it; ACCEPTED.
"""
import os

import numpy as np
from onnx import AttributeProto, GraphProto, ModelProto, TensorProto, helper

REFUSED, NOT_RUN, ACCEPTED = "refused", "not run", "accepted"
F32, I64 = TensorProto.FLOAT, TensorProto.INT64


def value(name, shape, dtype=F32):
    return helper.make_tensor_value_info(name, dtype, shape)


def tensor(name, shape, values=None, dtype=F32):
    count = int(np.prod(shape))
    made = TensorProto(name=name, data_type=dtype, dims=shape)
    kind = np.float32 if dtype == F32 else np.int64
    made.raw_data = np.asarray(np.arange(count) % 7 - 3 if values is None else values, dtype=kind).tobytes()
    return made


def model(nodes, initializers=(), inputs=None, outputs=None, opset=17, **more):
    graph = helper.make_graph(nodes, "hostile", inputs or [value("x", [1, 3, 8, 8])], outputs or [value("y", None)],
                              initializer=list(initializers))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8, **more)


def conv(weights=None, **attributes):
    node = helper.make_node("Conv", ["x", "w"], ["y"], **attributes)
    return model([node], [weights or tensor("w", [4, 3, 3, 3])])


def one(op, inputs, initializers, shape=(2, 6), **attributes):
    return model([helper.make_node(op, inputs, ["y"], **attributes)], initializers, [value("x", list(shape))])


def varint(number):
    made = bytearray()
    while number >= 128:
        made.append(number % 128 + 128)
        number //= 128
    return bytes(made + bytes([number]))


def dims(*sizes, values=None):
    made = tensor("w", [4, 3, 3, 3])
    made.dims[:] = sizes
    if values is not None:
        made.raw_data = b"\0" * values
    return conv(made)


def external(folder, **entries):
    (folder / "w.bin").write_bytes(b"\0" * 4 * 108)
    made = TensorProto(name="w", data_type=F32, dims=[4, 3, 3, 3], data_location=TensorProto.EXTERNAL)
    for key, text in {"location": "w.bin", **entries}.items():
        made.external_data.add(key=key, value=str(text))
    return conv(made)


def linked(folder):
    os.symlink("/etc/passwd", folder / "link.bin")
    return external(folder, location="link.bin", length=16)


def edited(change):
    made = conv()
    change(made)
    return made


def cycle():
    return model([helper.make_node("Add", ["x", "b"], ["a"]), helper.make_node("Relu", ["a"], ["b"]),
                  helper.make_node("Relu", ["b"], ["y"])])


def unsorted():
    return model([helper.make_node("Relu", ["a"], ["y"]), helper.make_node("Relu", ["x"], ["a"])])


def named_twice():
    return model([helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Tanh", ["x"], ["y"])])


def initializer_twice():
    return model([helper.make_node("Conv", ["x", "w"], ["y"])], [tensor("w", [4, 3, 3, 3]), tensor("w", [4, 3, 3, 3])])


def reshaped(*sizes, shape=(2, 6)):
    return one("Reshape", ["x", "s"], [tensor("s", [len(sizes)], sizes, I64)], shape)


def filled(size):
    nodes = [helper.make_node("ConstantOfShape", ["s"], ["c"]), helper.make_node("Add", ["x", "c"], ["y"])]
    return model(nodes, [tensor("s", [1], [size], I64)], [value("x", [1])])


def nested(depth):
    """Bytes, from the inside out: helper would recurse."""
    body = GraphProto(name="b", output=[value("z", [1])])
    body.node.append(helper.make_node("Constant", [], ["z"], value=tensor("c", [1])))
    inner = body.SerializeToString()
    for _ in range(depth):
        attribute = b"\x0a\x0bthen_branch" + b"\x32" + varint(len(inner)) + inner + b"\xa0\x01\x05"
        node = b"\x0a\x04cond\x12\x01z\x22\x02If" + b"\x2a" + varint(len(attribute)) + attribute
        inner = b"\x0a" + varint(len(node)) + node + b"\x12\x01b" + b"\x62" + b"\x03\x0a\x01z"
    whole = model([helper.make_node("Relu", ["x"], ["y"])])
    whole.ClearField("graph")
    return whole.SerializeToString() + b"\x3a" + varint(len(inner)) + inner


def attribute_of_wrong_type():
    made = conv()
    made.graph.node[0].attribute.append(AttributeProto(name="group", type=AttributeProto.STRING, s=b"one"))
    return made


def sparse_beyond():
    made = model([helper.make_node("Add", ["x", "s"], ["y"])], inputs=[value("x", [4])])
    sparse = made.graph.sparse_initializer.add(dims=[4])
    sparse.values.CopyFrom(tensor("s", [1], [1.0]))
    sparse.indices.CopyFrom(tensor("s_indices", [1], [99], I64))
    return made


def recursive_function():
    made = model([helper.make_node("Self", ["x"], ["y"], domain="own")])
    made.opset_import.append(helper.make_opsetid("own", 1))
    call = helper.make_node("Self", ["a"], ["b"], domain="own")
    made.functions.append(helper.make_function("own", "Self", ["a"], ["b"], [call], [helper.make_opsetid("own", 1)]))
    return made


def short_floats():
    return conv(TensorProto(name="w", data_type=F32, dims=[4, 3, 3, 3], float_data=[1.0] * 5))


def both_kinds():
    made = tensor("w", [4, 3, 3, 3])
    made.float_data.extend([1.0] * 108)
    return conv(made)


def nothing():
    return helper.make_model(helper.make_graph([], "nothing", [], []), opset_imports=[helper.make_opsetid("", 17)],
                             ir_version=8)


def invalid_name():
    raw = model([helper.make_node("Relu", ["x"], ["y"], name="NAME")]).SerializeToString()
    return raw.replace(b"NAME", b"\xff\xfe\x80x")


def clear(field, of=None):
    return edited(lambda made: (of(made) if of else made).ClearField(field))


def whole_bytes():
    return conv().SerializeToString()


FILES = {
    "01_empty": (REFUSED, lambda f: b""),
    "02_truncated": (REFUSED, lambda f: whole_bytes()[:-100]),
    "03_unterminated_varint": (REFUSED, lambda f: b"\x08" + b"\xff" * 12),
    "04_length_2_62": (REFUSED, lambda f: b"\x3a" + varint(1 << 62) + b"abc"),
    "05_random_bytes": (REFUSED, lambda f: np.random.default_rng(5).bytes(4096)),
    "06_html": (REFUSED, lambda f: b"<!DOCTYPE html><html><body>404 Not Found</body></html>"),
    "07_negative_dim": (REFUSED, lambda f: dims(4, 3, -3, 3)),
    "08_dims_overflow": (REFUSED, lambda f: dims(1 << 40, 1 << 40, 3, 3)),
    "09_large_dim_few_bytes": (REFUSED, lambda f: dims(1 << 40, values=24)),
    "10_raw_short": (REFUSED, lambda f: dims(4, 3, 3, 3, values=100)),
    "11_raw_long": (REFUSED, lambda f: dims(4, 3, 3, 3, values=1000)),
    "12_dtype_99": (REFUSED, lambda f: edited(lambda m: setattr(m.graph.initializer[0], "data_type", 99))),
    "13_dtype_0": (REFUSED, lambda f: edited(lambda m: setattr(m.graph.initializer[0], "data_type", 0))),
    "14_external_escapes": (REFUSED, lambda f: external(f, location="../../etc/passwd")),
    "15_external_absolute": (REFUSED, lambda f: external(f, location="/etc/passwd")),
    "16_external_missing": (REFUSED, lambda f: external(f, location="nowhere.bin")),
    "17_offset_past_end": (REFUSED, lambda f: external(f, offset=100000)),
    "18_negative_offset": (REFUSED, lambda f: external(f, offset=-8)),
    "19_external_symlink": (REFUSED, linked),
    "20_cycle": (REFUSED, lambda f: cycle()),
    "21_unsorted": (ACCEPTED, lambda f: unsorted()),
    "22_output_name_twice": (REFUSED, lambda f: named_twice()),
    "23_initializer_twice": (ACCEPTED, lambda f: initializer_twice()),
    "24_missing_input": (REFUSED, lambda f: edited(lambda m: m.graph.node[0].input.__setitem__(0, "nobody"))),
    "25_missing_output": (REFUSED, lambda f: edited(lambda m: setattr(m.graph.output[0], "name", "nobody"))),
    "26_opset_999": (REFUSED, lambda f: edited(lambda m: setattr(m.opset_import[0], "version", 999))),
    "27_opset_0": (REFUSED, lambda f: edited(lambda m: setattr(m.opset_import[0], "version", 0))),
    "28_ir_version_99": (REFUSED, lambda f: edited(lambda m: setattr(m, "ir_version", 99))),
    "29_no_opset": (REFUSED, lambda f: clear("opset_import")),
    "30_no_graph": (REFUSED, lambda f: clear("graph")),
    "31_unknown_operator": (NOT_RUN, lambda f: one("Frobnicate", ["x"], [])),
    "32_unknown_domain": (NOT_RUN, lambda f: one("Relu", ["x"], [], domain="com.example")),
    "33_attribute_type": (REFUSED, lambda f: attribute_of_wrong_type()),
    "34_axis_out_of_range": (REFUSED, lambda f: one("Softmax", ["x"], [], axis=7)),
    "35_stride_0": (REFUSED, lambda f: conv(strides=[0, 1])),
    "36_group_0": (REFUSED, lambda f: conv(group=0)),
    "37_negative_pads": (REFUSED, lambda f: conv(pads=[-5, -5, -5, -5])),
    "38_kernel_shape_differs": (REFUSED, lambda f: conv(kernel_shape=[5, 5])),
    "39_dilation_2_40": (REFUSED, lambda f: conv(dilations=[1 << 40, 1])),
    "40_pads_of_3": (REFUSED, lambda f: conv(pads=[1, 1, 1])),
    "41_two_rests": (REFUSED, lambda f: reshaped(-1, -1)),
    "42_reshape_overflow": (REFUSED, lambda f: reshaped(1 << 40, 1 << 40)),
    "43_reshape_count": (REFUSED, lambda f: reshaped(5, 5)),
    "44_fill_2_60": (NOT_RUN, lambda f: filled(1 << 60)),
    "45_fill_negative": (REFUSED, lambda f: filled(-4)),
    "46_expand_1_tib": (NOT_RUN, lambda f: one("Expand", ["x", "s"], [tensor("s", [2], [1 << 38, 1], I64)], (1, 1))),
    "47_gather_beyond": (NOT_RUN, lambda f: one("Gather", ["x", "i"], [tensor("i", [2], [99, -77], I64)])),
    "48_nested_2000": (REFUSED, lambda f: nested(2000)),
    "49_negative_input_dim": (ACCEPTED, lambda f: model([helper.make_node("Relu", ["x"], ["y"])],
                                                        inputs=[value("x", [-2, 3])])),
    "50_output_is_input": (ACCEPTED, lambda f: model([], outputs=[value("x", [1, 3, 8, 8])])),
    "51_nothing": (REFUSED, lambda f: nothing()),
    "52_input_dtype_77": (REFUSED, lambda f: model([helper.make_node("Relu", ["x"], ["y"])],
                                                   inputs=[value("x", [1, 3], 77)])),
    "53_name_not_utf8": (ACCEPTED, lambda f: invalid_name()),
    "54_floats_short": (REFUSED, lambda f: short_floats()),
    "55_raw_and_floats": (ACCEPTED, lambda f: both_kinds()),
    "56_sparse_beyond": (REFUSED, lambda f: sparse_beyond()),
    "57_recursive_function": (REFUSED, lambda f: recursive_function()),
}


def write(name, folder):
    """Writes the file into a folder of its own and gives its path."""
    folder = folder / name
    folder.mkdir()
    made = FILES[name][1](folder)
    path = folder / f"{name}.onnx"
    path.write_bytes(made.SerializeToString() if isinstance(made, ModelProto) else made)
    return path
