"""Spotting: inclusive frames, one match each, micro, macro and overall."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from datasets_me.core.errors import MeDatasetsError
from datasets_me.formats.predictions import Predictions
from datasets_me.formats.records import SplitRow, Video
from datasets_me.scores.spotting import IOUS, Counts, Spot, iou, pairs, spotting
from datasets_me.scores.truth import OfSplit
from tests.scores.conftest import annotation, manifest

Read = Callable[..., Predictions]
INTERVALS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 6)).map(lambda p: (p[0], p[0] + p[1])), max_size=4)


@pytest.mark.parametrize(
    ("a", "b", "value"),
    [((10, 12), (10, 12), 1.0), ((10, 13), (12, 15), 2 / 6), ((0, 4), (5, 9), 0.0), ((0, 3), (0, 7), 0.5)],
)
def test_both_ends_are_included(a: tuple[int, int], b: tuple[int, int], value: float) -> None:
    assert iou(a, b) == iou(b, a) == pytest.approx(value)


# Taken in order, or the best first, these would come out one pair short; a random case does so once in 170.
@example([(9, 12), (6, 11)], [(6, 12), (9, 14)])
@example([(3, 5), (4, 8), (8, 12)], [(3, 4), (3, 6)])
@example([(5, 8), (5, 11)], [(5, 8), (7, 8), (12, 17)])
@example([(2, 5), (0, 6), (1, 7)], [(0, 3), (1, 5), (3, 5)])
@example([(3, 8), (7, 10), (8, 14), (9, 13)], [(7, 11), (6, 11), (5, 9), (11, 14)])
@given(INTERVALS, INTERVALS)
def test_the_most_pairs_are_made(spotted: list[tuple[int, int]], annotated: list[tuple[int, int]]) -> None:
    made = pairs(spotted, annotated)
    assert all(iou(spotted[i], annotated[j]) >= 0.5 for i, j in made)
    assert len({i for i, _ in made}) == len({j for _, j in made}) == len(made)
    fewer, more = sorted([spotted, annotated], key=len)
    tried = (sum(iou(a, b) >= 0.5 for a, b in zip(fewer, order, strict=False)) for order in permutations(more))
    assert len(made) == max(tried)


def test_by_hand(predictions: Read) -> None:
    rows = [
        annotation(1, onset=0, offset=9),
        annotation(2, onset=100, offset=199, type="macro"),
        annotation(3, onset=300, offset=310, type="macro"),
        annotation(4, video="v2", id="v2:1", onset=0, offset=5),
    ]
    made = predictions(
        "video,onset,offset,type",
        "v1,0,4,micro",  # IoU 0.5: a hit
        "v1,1,9,micro",  # the annotation is taken
        "v1,120,199,macro-expression",  # 0.8
        "v1,300,310,micro",  # the right frames, the wrong type
        "v3,5,9,micro",  # a video without annotations
    )
    bare = Video(dataset="casme2", subject="sub02", video="v3", fps=200.0)
    found = spotting([manifest(*rows, videos=[bare])], [made])
    assert found.counts("micro") == Counts(tp=1, fp=3, fn=1)
    assert found.counts("macro") == Counts(tp=1, fp=0, fn=1)
    overall = found.counts()
    assert overall == Counts(tp=2, fp=3, fn=2)
    assert (overall.precision, overall.recall) == (2 / 5, 2 / 4)
    assert overall.f1 == pytest.approx(4 / 9)
    assert [(row.video, row.type, row.tp, row.fp, row.fn) for row in found.videos] == [
        ("v1", "micro", 1, 2, 0),
        ("v1", "macro", 1, 0, 1),
        ("v2", "micro", 0, 0, 1),
        ("v3", "micro", 0, 1, 0),
    ]
    assert [(finding.code, finding.message) for finding in found.findings] == [
        ("ME548", "nothing was spotted in v2"),
    ]


def test_an_interval_of_one_frame_counts(predictions: Read) -> None:
    rows = [annotation(1, onset=0, apex=0, offset=0), annotation(2, onset=7, apex=7, offset=7)]
    found = spotting([manifest(*rows)], [predictions("video,onset,offset", "v1,0,0", "v1,7,8")])
    assert (found.counts(), found.dropped, found.findings) == (Counts(tp=2), 0, [])


def test_another_threshold(predictions: Read) -> None:
    made = predictions("video,onset,offset", "v1,10,17")
    for threshold, hits in ((0.5, 1), (8 / 11, 1), (0.8, 0)):
        assert spotting([manifest(annotation(1))], [made], threshold=threshold).counts().tp == hits


def test_figures_by_dataset_and_of_nothing(predictions: Read) -> None:
    one = manifest(annotation(1))
    other = manifest(annotation(1, dataset="samm", id="w:1", video="w"), dataset="samm")
    found = spotting([one, other], [predictions("video,onset,offset", "v1,10,20", "w,90,99")])
    assert found.counts(dataset="casme2") == Counts(tp=1)
    assert found.counts(dataset="samm") == Counts(fp=1, fn=1)
    assert found.counts() == Counts(tp=1, fp=1, fn=1)
    nothing = Counts()
    assert (nothing.precision, nothing.recall, nothing.f1) == (0, 0, 0)
    assert (Counts(fp=1).precision, Counts(fn=1).recall, Counts(fp=1, fn=1).f1) == (0, 0, 0)


def test_missing_offsets_are_counted(predictions: Read) -> None:
    rows = [annotation(1, offset=None), annotation(2, onset=None), annotation(3, onset=40, apex=30, offset=None)]
    made = predictions("video,onset,offset", "v1,10,20")
    found = spotting([manifest(*rows)], [made])
    assert found.counts() == Counts(tp=1)
    assert found.dropped == 2
    assert [(finding.code, finding.message) for finding in found.findings] == [
        ("ME547", "v1:1 has no offset; read as 20 (mirror)"),
        ("ME545", "v1:2 has no onset; it is not scored"),
        ("ME545", "v1:3 has an offset before its onset; it is not scored"),
    ]
    with pytest.raises(MeDatasetsError, match="'fixed:' is not a rule for missing offsets"):
        spotting([manifest(*rows)], [made], missing="fixed:")


def test_only_videos_that_a_split_tests(predictions: Read) -> None:
    rows = [annotation(1), annotation(2, id="v2:1", video="v2")]
    made = predictions("video,onset,offset", "v1,10,20", "v2,50,60")
    only = OfSplit([SplitRow(fold="f", part="test", dataset="casme2", subject="sub01", video="v1")])
    found = spotting([manifest(*rows)], [made], tested=only)
    assert found.counts() == Counts(tp=1)
    assert found.findings == []


def test_rows_that_cannot_be_used(predictions: Read) -> None:
    made = predictions(
        "video,onset,offset",
        "v9,1,2",
        "v1,20,10",
        "v1,1.5,3",
        "v1,nan,3",
        "v1,10,20",
        "v1,10,20",
        "v1,5,",
        name="spots.csv",
    )
    found = spotting([manifest(annotation(1))], [made])
    assert [(finding.code, finding.where) for finding in found.findings] == [
        ("ME540", "spots.csv, row 2"),
        ("ME546", "spots.csv, row 3"),
        ("ME546", "spots.csv, row 4"),
        ("ME546", "spots.csv, row 5"),
        ("ME542", "spots.csv, row 7"),
        ("ME546", "spots.csv, row 8"),
    ]
    assert found.counts() == Counts(tp=1, fp=1)
    mixed = predictions("video,onset,offset,type", "v1,1,2,micro", "v1,3,4,")
    with pytest.raises(MeDatasetsError, match="some predictions have a type and some do not") as caught:
        spotting([manifest(annotation(1))], [mixed])
    assert caught.value.where == "fold.csv, row 3"


def test_a_fold_in_which_nothing_was_spotted(predictions: Read) -> None:
    rows = [annotation(1), annotation(2, id="v2:1", video="v2", type="macro")]
    some = predictions("video,onset,offset,type", "v1,10,20,micro", name="some.csv")
    empty = predictions("video,onset,offset,type", name="empty.csv")
    found = spotting([manifest(*rows)], [empty, some])
    assert found.counts() == Counts(tp=1, fn=1)
    assert [(each.code, each.message) for each in found.findings] == [("ME548", "nothing was spotted in v2")]
    nothing = spotting([manifest(*rows)], [empty])
    assert nothing.kinds == ("micro", "macro", "overall")
    assert (nothing.counts("micro"), nothing.counts("macro")) == (Counts(fn=1), Counts(fn=1))
    untyped = spotting([manifest(*rows)], [predictions("video,onset,offset", name="untyped.csv")])
    assert (untyped.kinds, untyped.counts()) == (("overall",), Counts(fn=2))


def test_what_was_paired_is_kept(predictions: Read) -> None:
    made = predictions("video,onset,offset", "v1,100,110", "v1,11,20")
    (each,) = spotting([manifest(annotation(1), annotation(2, onset=50, offset=60))], [made]).compared
    assert each.spotted == (Spot(100, 110), Spot(11, 20))
    assert each.annotated == (Spot(10, 20, 15), Spot(50, 60, 15))
    assert each.pairs == ((1, 0),)
    assert each.fps == 200.0


def test_videos_without_annotations_can_be_left_out(predictions: Read) -> None:
    bare = Video(dataset="casme2", subject="sub02", video="v2", fps=200.0)
    made = predictions("video,onset,offset", "v1,10,20", "v2,5,9")
    found = spotting([manifest(annotation(1), videos=[bare])], [made])
    assert found.counts() == Counts(tp=1, fp=1)
    assert found.counts(annotated_only=True) == Counts(tp=1)


def test_average_precision_by_hand(predictions: Read) -> None:
    rows = [
        annotation(1, onset=0, offset=9),
        annotation(2, onset=100, offset=109),
        annotation(3, onset=200, offset=209),
    ]
    made = predictions(
        "video,onset,offset,score,type",
        "v1,0,9,0.9,micro",  # IoU 1
        "v1,300,309,0.8,micro",  # wrong
        "v1,102,109,0.7,micro",  # 0.8
        "v1,0,8,0.6,micro",  # a second one for the first annotation
    )
    found = spotting([manifest(*rows)], [made])
    values = found.average_precision("micro")
    assert values is not None
    assert list(values) == list(IOUS)
    for limit, value in values.items():  # precision 1 up to recall 1/3, then 2/3 up to 2/3, as long as 0.8 is enough
        assert value == pytest.approx((1 + 2 / 3) / 3 if limit <= 0.8 else 1 / 3)
    assert found.average_precision() == values  # nothing macro is annotated
    unscored = predictions("video,onset,offset", "v1,0,9")
    assert spotting([manifest(*rows)], [unscored]).average_precision() is None


def test_average_precision_over_videos(predictions: Read) -> None:
    rows = [
        annotation(1, onset=0, offset=9),
        annotation(2, onset=100, offset=109),
        annotation(3, onset=0, offset=9, video="v2", id="v2:1"),
    ]
    lines = ["v1,0,9,0.5,micro", "v2,0,9,0.9,micro", "v2,100,109,0.7,micro"]
    values = spotting([manifest(*rows)], [predictions("video,onset,offset,score,type", *lines)]).average_precision(
        "micro"
    )
    assert values is not None
    assert values[0.5] == pytest.approx((1 + 2 / 3) / 3)  # the wrong one, of v2, stands between the right ones


def test_errors_of_hits_in_frames_and_ms(predictions: Read) -> None:
    rows = [annotation(1, onset=0, apex=4, offset=9), annotation(2, onset=100, apex=None, offset=109)]
    made = predictions("video,onset,offset,apex", "v1,1,9,6", "v1,98,109,103", "v1,300,310,305")
    errors = spotting([manifest(*rows)], [made]).errors()
    assert {name: (error.count, error.frames, error.ms) for name, error in errors.items()} == {
        "onset": (2, 1.5, 7.5),
        "apex": (1, 2, 10),
        "offset": (2, 0, 0),
    }
    assert errors["onset"].frames_median == 1.5


def test_intervals_without_a_score_come_last(predictions: Read) -> None:
    rows = [annotation(1, onset=0, offset=9), annotation(2, onset=100, offset=109)]
    made = predictions("video,onset,offset,score", "v1,50,59,nan", "v1,0,9,-2.5", "v1,100,109,", "v1,70,79,x")
    more = predictions("video,onset,offset", "v1,300,309", name="more.csv")
    found = spotting([manifest(*rows)], [made, more])
    assert [(each.code, each.where, each.message) for each in found.findings] == [
        (
            "ME550",
            "fold.csv, row 2",
            "v1 50 to 59 has the score 'nan', which is not a finite number; average precision ranks it last",
        ),
        ("ME550", "fold.csv, row 4", "v1 100 to 109 has no score; average precision ranks it last"),
        (
            "ME550",
            "fold.csv, row 5",
            "v1 70 to 79 has the score 'x', which is not a finite number; average precision ranks it last",
        ),
        ("ME550", "more.csv, row 2", "v1 300 to 309 has no score; average precision ranks it last"),
    ]
    values = found.average_precision()
    assert values is not None
    assert values[0.5] == pytest.approx((1 + 2 / 3) / 2)  # ranks 1 (hit), 2 (wrong), 3 (hit)
    nothing = spotting([manifest(*rows)], [predictions("video,onset,offset,score", "v1,0,9,nan")])
    assert nothing.average_precision() is None
    assert [each.code for each in nothing.findings] == ["ME550"]


def test_intervals_outside_the_video(predictions: Read) -> None:
    whole = Video(
        dataset="casme-sq",
        subject="sub01",
        video="v1",
        layout="rawpic",
        path="rawpic/v1",
        frames=100,
        first=1,
        last=100,
        fps=30.0,
    )
    row = annotation(1, dataset="casme-sq", fps=30.0)
    lines = ["v1,90,109", "v1,99,120", "v1,100,120", "v1,10,20", "v1,-30,-9", "v1,-9,9", "v1,-10,8"]
    made = predictions("video,onset,offset", *lines)
    scores = spotting([manifest(row, dataset="casme-sq", videos=[whole])], [made])
    assert scores.counts() == Counts(tp=1, fp=6)
    assert [(each.code, each.where, each.message) for each in scores.findings] == [
        ("ME551", "fold.csv, row 3", "v1 99 to 120 lies mostly outside the video, frames 0 to 99"),
        ("ME551", "fold.csv, row 4", "v1 100 to 120 lies outside the video, frames 0 to 99; it counts as wrong"),
        ("ME551", "fold.csv, row 6", "v1 -30 to -9 lies outside the video, frames 0 to 99; it counts as wrong"),
        ("ME551", "fold.csv, row 8", "v1 -10 to 8 lies mostly outside the video, frames 0 to 99"),
    ]
    unknown = spotting(
        [manifest(annotation(1))], [predictions("video,onset,offset", "v1,-9,-1", "v1,10,20", "v1,900,990")]
    )
    assert unknown.counts() == Counts(tp=1, fp=2)
    assert [each.message for each in unknown.findings] == [
        "v1 -9 to -1 lies outside the video, which begins with frame 0; it counts as wrong"
    ]
