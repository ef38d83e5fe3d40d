# SPDX-License-Identifier: Apache-2.0
"""Tables in a document that the program dictates, between `<!-- MARK: NAME -->` and `<!-- end -->`."""
import os
import re
import sys


def cell(text):
    return str(text).replace("|", "\\|")


def table(columns, rows):
    lines = [("| " + " | ".join(columns) + " |").replace("|  |", "| |"), "|---" * len(columns) + "|"]
    return "\n".join(lines + ["| " + " | ".join(cell(each) for each in row) + " |" for row in rows])


def keep(path, mark, wanted, needed):
    """Compares the document's tables with `wanted`, or rewrites them where INFEROMETER_REFRESH is set. Ends the program
    when one differs or one of `needed` has no place. A place that nothing is wanted for is left alone."""
    text = open(path).read()
    block = re.compile(rf"(<!-- {mark}: (\w+) -->\n)(.*?)(<!-- end -->)", re.S)
    fresh = block.sub(lambda found: found[1] + wanted.get(found[2], found[3].strip()) + "\n" + found[4], text)
    missing = set(needed) - {found[2] for found in block.finditer(text)}
    if missing:
        sys.exit(f"{path}: no table for {', '.join(sorted(missing))}")
    if os.environ.get("INFEROMETER_REFRESH"):
        with open(path, "w") as file:
            file.write(fresh)
    elif fresh != text:
        sys.exit(f"{path} differs from what the program says; run again with INFEROMETER_REFRESH=1")
    print("compared:", ", ".join(sorted(wanted)))
