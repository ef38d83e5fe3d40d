#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""measuring_document.py PROGRAM docs/measuring.md: the table of keys in the document is the program's.

INFEROMETER_REFRESH=1 rewrites the table instead of comparing."""
import json
import subprocess
import sys

import document

program, path = sys.argv[1:]
done = subprocess.run([program, "journal", "schema", "--json"], check=True, capture_output=True, text=True)
quantities = json.loads(done.stdout)["data"]["quantities"]
rows = [(f"`{each['key']}`", each["title"], each["help"]) for each in quantities]
document.keep(path, "quantities", {"all": document.table(("key", "in tables", ""), rows)}, ["all"])
