"""Import of a generated table in the shape of FER2013, 35,887 rows, beside pandas reading the same file.

python benchmarks/images.py [ROWS]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from measure import PROGRAM, measure

_READ = "import pandas; print(len(pandas.read_csv('fer2013.csv')))"
_PARSE = """
import numpy, pandas
table = pandas.read_csv("fer2013.csv")
pixels = numpy.stack([numpy.array(text.split(), numpy.uint8) for text in table["pixels"]])
table.assign(pixels=[row.tobytes() for row in pixels]).to_parquet("pandas.parquet")
"""


def write(path: Path, rows: int) -> None:
    """A table of noise; most of its bytes are digits, as in the real one."""
    rng = np.random.default_rng(0)
    texts = np.array([str(value) for value in range(256)])
    usages = ("Training",) * 8 + ("PublicTest", "PrivateTest")
    with path.open("w") as file:
        file.write("emotion,pixels,Usage\n")
        for row in range(rows):
            pixels = " ".join(texts[rng.integers(0, 256, 48 * 48)])
            file.write(f"{row % 7},{pixels},{usages[row * 10 // rows]}\n")


def main() -> None:
    """Print the table."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 35_887
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder / "fer2013.csv", rows)
        size = (folder / "fer2013.csv").stat().st_size / 1e6
        print(f"{rows:,} rows, {size:.0f} MB; whole processes, median of 3, warm cache\n")
        command = [*PROGRAM, "images", "import", "fer2013.csv", "--schema", "fer2013", "-o", "i", "--force"]
        measured = [
            ("pandas.read_csv, pixels as text", measure([sys.executable, "-c", _READ], folder, 3)),
            ("pandas, pixels parsed, to Parquet", measure([sys.executable, "-c", _PARSE], folder, 3)),
            ("me-datasets images import", measure(command, folder, 3)),
        ]
        first = measured[0][1].seconds
        print("| | seconds | ratio | peak MB |\n| --- | ---: | ---: | ---: |")
        for title, each in measured:
            print(f"| {title} | {each.seconds:.2f} | {each.seconds / first:.1f} | {each.megabytes:.0f} |")


if __name__ == "__main__":
    main()
