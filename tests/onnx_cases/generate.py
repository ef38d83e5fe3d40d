# SPDX-License-Identifier: Apache-2.0
"""generate.py FOLDER: writes the node cases that the onnx wheel carries as code to FOLDER/node/test_X, laid out like
onnx's own. A folder that holds this wheel's cases already is left as it is. Exit 77: there is no onnx here."""
import pathlib
import shutil
import sys
import warnings

SKIPPED = 77


def write_value(path, value, type_proto):
    from onnx import numpy_helper

    if type_proto.HasField("sequence_type"):
        message = numpy_helper.from_list(value)
    elif type_proto.HasField("optional_type"):
        message = numpy_helper.from_optional(value)
    elif type_proto.HasField("map_type"):
        message = numpy_helper.from_dict(value)
    else:
        message = value if hasattr(value, "SerializeToString") else numpy_helper.from_array(value)
    path.write_bytes(message.SerializeToString())


def write_case(folder, case):
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(case.model.SerializeToString())
    graph = case.model.graph
    for number, (inputs, outputs) in enumerate(case.data_sets):
        data = folder / f"test_data_set_{number}"
        data.mkdir()
        for side, values, ports in (("input", inputs, graph.input), ("output", outputs, graph.output)):
            for index, (value, port) in enumerate(zip(values, ports)):
                write_value(data / f"{side}_{index}.pb", value, port.type)


def main(folder):
    try:
        import onnx
        from onnx.backend.test.case.node import collect_testcases
    except ImportError as error:
        print(f"skipped: {error} (scripts/setup installs it)")
        return SKIPPED
    stamp = folder / "version"
    if stamp.exists() and stamp.read_text() == onnx.__version__:
        print(f"the cases of onnx {onnx.__version__} are there")
        return 0
    shutil.rmtree(folder, ignore_errors=True)
    warnings.simplefilter("ignore")  # NumPy's, about the overflows that some cases are made of
    cases = [case for case in collect_testcases() if case.model is not None]
    for case in cases:
        write_case(folder / "node" / case.name, case)
    stamp.write_text(onnx.__version__)
    print(f"{len(cases)} cases of onnx {onnx.__version__}")
    return 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
