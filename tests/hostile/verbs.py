"""Command lines by the inputs that they read, which stand in braces."""

from __future__ import annotations

import random

LINES = (
    "convert casme-sq {book.xlsx} --root {frames} -o {out}/manifest",
    "convert --schema {schema.yaml} {book.xlsx} -o {out}/manifest --json",
    "check {manifest} --root {frames}",
    "check {manifest} --root {frames} --deep --format html -o {out}/report.html",
    "check {manifest} --root {frames} --format sarif -o {out}/report.json",
    "relocate {manifest} --root {frames}",
    "diff {manifest} {book.xlsx} --parquet {out}/differences.parquet",
    "diff {book.xlsx} {manifest} --dataset casme-sq --json",
    "convert casme-sq {book.xlsx} --root {frames} -o {out}/manifest --decisions {decisions}",
    "export segments {manifest} {features} -o {out}/segments --length 16 --context 2 --decisions {decisions}",
    "split {manifest} -o {out}/split --protocol kfold --folds 2 --decisions {decisions}",
    "decisions list {decisions} --manifest {manifest} --every",
    "decisions diff {decisions} {decisions} --json",
    "decisions to-corrections {decisions} --dataset casme-sq -o {out}/my.yaml",
    "show {manifest} {features} casme_015_0401 -o {out}/show.png",
    "split {manifest} -o {out}/split --protocol kfold --folds 2",
    "split {manifest} -o {out}/split --unit expression --protocol holdout --test 0.5 --stratify emotion",
    "check-split {split} {manifest} --features {features}",
    "check-split {split} {manifest} --root {frames} --format json",
    "stats {manifest} {features} --split {split}",
    "stats {manifest} {features} --format json -o {out}/stats.json",
    "stats {manifest} --fps 15",
    "graph {manifest} -o {out}/graph.npy --picture {out}/graph.png",
    "export segments {manifest} {features} -o {out}/segments --length 16 --context 2",
    "export segments {manifest} {features} -o {out}/segments --format parquet --compat auwgcn",
    "export segments {manifest} {features} -o {out}/segments --format webdataset --fps 15",
    "export clips {manifest} --root {frames} --features {features} -o {out}/clips --size 16 --align",
    "export clips {manifest} --root {frames} -o {out}/clips --size 16 --frames 4 --format parquet",
    "export auwgcn {manifest} {features} -o {out}/auwgcn",
    "export auwgcn-csv {manifest} -o {out}/rows.csv",
    "card {manifest} --features {features} -o {out}/card",
    "score spotting {manifest} -p {spotted.csv} -o {out}/scores --split {split}",
    "score recognition {manifest} -p {recognised.csv} --label class_3 -o {out}/scores",
    "score ensemble {manifest} -p {model_a.npz} -p {model_b.npz} --label class_3 --step 0.25 -o {out}/scores",
    "images import {pictures} --schema folder-per-class -o {out}/set --workers 1",
    "images unify {set} --root {pictures} -o {out}/unified --size 20 --pad --workers 1",
    "images quality {set} --root {pictures} -o {out}/quality --workers 1",
    "images duplicates {set} --root {pictures} -o {out}/duplicates --workers 1",
    "images audit {set} -p {said.json} -o {out}/audit",
    "images audit {set} -p {said.csv} --json -o {out}/audit",
    "images export {set} --root {pictures} -o {out}/images --split 0.6,0.2,0.2",
    "images export {set} --root {pictures} -o {out}/images --format csv",
    "images export {set} --root {pictures} -o {out}/images --format webdataset",
)


def reading(name: str) -> list[str]:
    """The command lines that read an input."""
    return [line for line in LINES if f"{{{name}}}" in line]


def one_reading(name: str, chance: random.Random) -> str:
    """One of the command lines that read an input."""
    return chance.choice(reading(name))
