"""Shares of the items: what belongs to each, and which one a job of an array takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_me.core.engine import Shard, read_shard
from datasets_me.core.errors import MeDatasetsError


@given(st.integers(1, 40), st.lists(st.integers(0, 1000), max_size=100))
def test_each_item_belongs_to_one_share_and_all_have_as_much_to_do(count: int, sizes: list[int]) -> None:
    items = list(enumerate(sizes))
    shares = [Shard(number, count).of(items, lambda item: item[1]) for number in range(1, count + 1)]
    assert sorted(item for share in shares for item in share) == items
    loads = [sum(max(size, 1) for _, size in share) for share in shares]
    assert max(loads) - min(loads) <= max([1, *sizes])


def test_items_of_one_size_are_dealt_in_turn() -> None:
    assert [Shard(number, 3).of("abcdefgh", lambda letter: 7) for number in (1, 2, 3)] == [
        ["a", "d", "g"],
        ["b", "e", "h"],
        ["c", "f"],
    ]


SLURM = {"SLURM_ARRAY_TASK_ID": "5", "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_COUNT": "16"}


@pytest.mark.parametrize(
    ("text", "environment", "share"),
    [
        ("3/16", {}, Shard(3, 16)),
        ("auto", SLURM, Shard(5, 16)),
        ("auto", SLURM | {"SLURM_ARRAY_TASK_MIN": "0"}, Shard(6, 16)),
        ("auto", SLURM | {"SLURM_ARRAY_TASK_STEP": "4", "SLURM_ARRAY_TASK_COUNT": "3"}, Shard(2, 3)),
        ("auto", SLURM | {"SLURM_ARRAY_TASK_MAX": "16"}, Shard(5, 16)),
        ("auto", {"LSB_JOBINDEX": "2", "LSB_JOBINDEX_END": "7"}, Shard(2, 7)),
        ("auto", {"LSB_JOBINDEX": "5", "LSB_JOBINDEX_END": "9", "LSB_JOBINDEX_STEP": "2"}, Shard(3, 5)),
        ("2/3", SLURM, Shard(2, 3)),
    ],
)
def test_a_share_is_read(text: str, environment: dict[str, str], share: Shard) -> None:
    assert read_shard(text, environment) == share
    assert str(share) == f"{share.number}/{share.count}"


SYNTAX = "give it as 3/16, the third of 16, or as auto in a job of an array"


@pytest.mark.parametrize(
    ("text", "environment", "message", "fix"),
    [
        ("0/16", {}, "there is no share 0 of 16", SYNTAX),
        ("17/16", {}, "there is no share 17 of 16", SYNTAX),
        ("3 of 16", {}, "'3 of 16' is no share", SYNTAX),
        ("-1/2", {}, "'-1/2' is no share", SYNTAX),
        (
            "auto",
            {"LSB_JOBINDEX": "0"},
            "--shard auto is for a job of an array, and no variable of Slurm, LSF or PBS says that this is one",
            "give the share, such as --shard 3/16",
        ),
        (
            "auto",
            {"PBS_ARRAY_INDEX": "3"},
            "PBS does not tell a job how many its array has",
            "count the jobs from 1, and give --shard $PBS_ARRAY_INDEX/16 with their number in place of 16",
        ),
        (
            "auto",
            {"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "2"}
            | {"SLURM_ARRAY_TASK_MIN": "3", "SLURM_ARRAY_TASK_MAX": "7"},
            "this array is a list of single jobs, which does not say how many shares there are",
            "give their number, such as --shard $SLURM_ARRAY_TASK_ID/16; or send off a range of jobs",
        ),
        (
            "auto",
            {"SLURM_ARRAY_TASK_ID": "3"},
            "the variable SLURM_ARRAY_TASK_COUNT is not set",
            SYNTAX,
        ),
        (
            "auto",
            {"LSB_JOBINDEX": "3", "LSB_JOBINDEX_END": "x"},
            "the variable LSB_JOBINDEX_END is 'x', not a number",
            SYNTAX,
        ),
        (
            "auto",
            SLURM | {"SLURM_ARRAY_TASK_COUNT": "2"},
            "job 5 of an array of 2 from 1 is none of its shares",
            "give the share as 3/16",
        ),
    ],
)
def test_what_is_no_share(text: str, environment: dict[str, str], message: str, fix: str) -> None:
    with pytest.raises(MeDatasetsError) as caught:
        read_shard(text, environment)
    assert (caught.value.what, caught.value.fix) == (message, fix)
