#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""params_document.py PROGRAM docs/params.md: the tables in the document are what the program says.

A table stands between `<!-- params: NAME -->` and `<!-- end -->`; NAME is `unified` or an engine. An
engine that isn't available here can't be asked: its table is left alone. INFEROMETER_REFRESH=1
rewrites the tables instead of comparing."""
import json
import subprocess
import sys

import document

program, path = sys.argv[1:]
COLUMNS = ("param", "domain", "default", "knob", "scope", "affects", "")


def ask(*arguments):
    done = subprocess.run([program, *arguments, "--json"], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)["data"]


def table(specs):
    rows = [(f"`{spec['name']}`", spec["domain"], spec["default_shown"], "yes" if spec["knob"] else "no", spec["scope"],
             spec["affects"], spec["help"]) for spec in specs]
    return document.table(COLUMNS, rows) if rows else "None."


engines = ask("engines")["engines"]
wanted = {"unified": table(ask("engines", "null")["unified_params"])}
for engine in engines:
    if engine["available"]:
        wanted[engine["name"]] = table(ask("engines", engine["name"])["params"])
document.keep(path, "params", wanted, {engine["name"] for engine in engines} | {"unified"})
