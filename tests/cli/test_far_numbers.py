"""Frame numbers that no video reaches: every verb says what is wrong, and none takes memory or time by them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from datasets_me.convert.convert import convert
from datasets_me.folders.check import with_folders
from datasets_me.formats import manifest as manifests
from datasets_me.schema import schema_files
from datasets_me.synthetic.write import make
from tests.conftest import REPOSITORY
from tests.export.builders import noise

LIMITED = """
import contextlib, io, json, re, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
from datasets_me.cli import main
said = {}
for verb in json.loads(sys.argv[1]):
    sys.argv = ["me-datasets", *verb.split()]
    out, code = io.StringIO(), 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            main()
    except SystemExit as error:
        code = error.code or 0
    said[verb] = [code, out.getvalue()]
with open("/proc/self/status") as status:  # ru_maxrss would begin with that of the parent
    peak = int(re.search(r"VmHWM:\\s+(\\d+)", status.read())[1])
print(json.dumps([said, peak]))
"""
"""Runs verbs one after the other with 2 GiB of address space; prints what each said, and the most memory held, KiB."""

VERBS = (
    "check manifest --root {root}",
    "export clips manifest --root {root} -o all --size 8",
    "export clips manifest --root {root} -o five --size 8 --frames 5 --offset-missing fixed:999999999",
    "export segments manifest features -o segments",
    "export segments manifest features -o published --compat auwgcn",
    "export auwgcn manifest features -o auwgcn",
    "stats manifest features",
    "split manifest -o split",
    "check-split split manifest --features features",
    "score spotting manifest -p spotted.csv",
    "card manifest -o card",
)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit the address space of a process")
def test_no_verb_takes_memory_by_a_frame_number(tmp_path: Path) -> None:
    made = make(schema_files.load("casme-sq"), tmp_path / "set", subjects=2, seed=3)
    manifest = with_folders(convert(schema_files.load_file(made.schema), made.workbook).manifest(), made.root)
    first, second, third, *others = manifest.annotations
    far = [
        first.model_copy(update={"offset": 1_500_000_000}),
        second.model_copy(update={"apex": 1_500_000_000, "offset": None}),
        third.model_copy(update={"onset": 1_400_000_000, "apex": 1_500_000_000, "offset": 1_600_000_000}),
    ]
    manifests.write(replace(manifest, annotations=[*far, *others]), tmp_path / "manifest")
    for row in manifest.annotations:
        place = tmp_path / "features" / row.subject / f"{row.video}.npy"
        place.parent.mkdir(parents=True, exist_ok=True)
        np.save(place, noise(40))
    spotted = f"subject,video,onset,offset,type\n{first.subject},{first.video},3,1500000000,{first.type}\n"
    (tmp_path / "spotted.csv").write_text(spotted)
    verbs = [verb.format(root=made.root.relative_to(tmp_path)) for verb in VERBS]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, json.dumps(verbs)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "NO_COLOR": "1", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    said, peak = json.loads(done.stdout)
    assert {verb: code for verb, (code, _) in said.items() if code not in (0, 1)} == {}
    assert peak < 1 << 20  # KiB
    assert {"ME401", "ME402", "ME404"} <= {word for word in said[verbs[0]][1].split() if word.startswith("ME4")}
    # what the published project looks for does not grow with it, either
    config = yaml.safe_load((tmp_path / "auwgcn" / "config.yaml").read_text())["cas(me)^2"]
    assert max(config[f"{kind}_{side}_max_dis"] for kind in ("micro", "macro") for side in ("left", "right")) < 100
