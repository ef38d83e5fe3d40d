#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""journal_document.py PROGRAM docs/journal.md: the tables in the document are the journal's schema.

A table stands between `<!-- journal: NAME -->` and `<!-- end -->`; NAME is `lines` for the kinds of
lines, else a kind of line (`line_NAME`) or an object. INFEROMETER_REFRESH=1 rewrites the tables
instead of comparing."""
import json
import subprocess
import sys

import document

program, path = sys.argv[1:]
done = subprocess.run([program, "journal", "schema", "--json"], check=True, capture_output=True, text=True)
schema = json.loads(done.stdout)["data"]
linked = {each["name"] for each in schema["objects"]} | {"values"}


def value(key):
    name = key["type"]
    return key["shown"].replace(name, f"[{name}](#{name})") if name in linked else key["shown"]


def table(record):
    return document.table(("key", "value", ""), [(f"`{key['key']}`", value(key), key["help"]) for key in record["keys"]])


wanted = {"lines": document.table(("`line`", "written"), [(f"[`{each['name']}`](#line-{each['name']})", each["help"])
                                                          for each in schema["lines"]])}
wanted |= {"line_" + each["name"]: table(each) for each in schema["lines"]}
wanted |= {each["name"]: table(each) for each in schema["objects"]}
document.keep(path, "journal", wanted, wanted)
