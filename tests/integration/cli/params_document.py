#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""params_document.py PROGRAM docs/params.md: the tables in the document are what the program says.

A table stands between `<!-- params: NAME -->` and `<!-- end -->`; NAME is `unified` or an engine. An
engine that isn't available here can't be asked: its table is left alone. INFEROMETER_REFRESH=1
rewrites the tables instead of comparing."""
import json
import os
import re
import subprocess
import sys

program, document = sys.argv[1:]


def ask(*arguments):
    done = subprocess.run([program, *arguments, "--json"], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)["data"]


def cell(text):
    return str(text).replace("|", "\\|")


def table(specs):
    lines = ["| param | domain | default | knob | scope | affects | |", "|---|---|---|---|---|---|---|"]
    for spec in specs:
        fields = (f"`{spec['name']}`", spec["domain"], spec["default_shown"], "yes" if spec["knob"] else "no",
                  spec["scope"], spec["affects"], spec["help"])
        lines.append("| " + " | ".join(cell(field) for field in fields) + " |")
    return "\n".join(lines) if specs else "None."


engines = ask("engines")["engines"]
wanted = {"unified": table(ask("engines", "null")["unified_params"])}
for engine in engines:
    if engine["available"]:
        wanted[engine["name"]] = table(ask("engines", engine["name"])["params"])

text = open(document).read()
block = re.compile(r"(<!-- params: (\w+) -->\n)(.*?)(<!-- end -->)", re.S)
fresh = block.sub(lambda found: found[1] + wanted.get(found[2], found[3].strip()) + "\n" + found[4], text)
present = {found[2] for found in block.finditer(text)}
missing = ({engine["name"] for engine in engines} | {"unified"}) - present
if missing:
    sys.exit(f"{document}: no table for {', '.join(sorted(missing))}")
if os.environ.get("INFEROMETER_REFRESH"):
    with open(document, "w") as file:
        file.write(fresh)
elif fresh != text:
    sys.exit(f"{document} differs from what `inferometer engines NAME` says; run again with INFEROMETER_REFRESH=1")
print("compared:", ", ".join(sorted(wanted)))
