"""``me-datasets convert`` as a whole process, on a workbook of CAS(ME)²'s size and shape, or on your own.

python benchmarks/convert.py [WORKBOOK]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from measure import PROGRAM, measure

from datasets_me.schema import schema_files
from datasets_me.synthetic.write import make


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if len(sys.argv) > 1:
            workbook, what = Path(sys.argv[1]).resolve(), "your workbook"
        else:
            # 22 subjects with 8 videos of 2 expressions: 352 rows, as many as CAS(ME)² to within 2 %.
            made = make(schema_files.load("casme-sq"), folder / "set", subjects=22)
            workbook, what = made.workbook, "a synthetic workbook of 352 rows"
        convert = [*PROGRAM, "convert", "casme-sq", workbook, "-o", "m", "--force"]
        print(f"convert casme-sq, {what}; whole processes, median of 5\n")
        print("| | seconds | peak MB |\n| --- | ---: | ---: |")
        for title, command in (
            ("python -c pass", [sys.executable, "-c", "pass"]),
            ("me-datasets --help", [*PROGRAM, "--help"]),
            ("me-datasets convert", convert),
        ):
            measured = measure(command, folder)
            print(f"| {title} | {measured.seconds:.2f} | {measured.megabytes:.0f} |")


if __name__ == "__main__":
    main()
