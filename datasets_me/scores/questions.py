"""How well questions about expressions were answered, as in MEGC 2025: UF1 and UAR of classes, BLEU and ROUGE of texts.

BLEU is sacrebleu's for a whole corpus (Post: A Call for Clarity in Reporting BLEU Scores, WMT 2018), from 0 to 1 here,
of n-grams up to 4, or up to the longest that the answers have: where all have one word, it is that of words. ROUGE-1
and ROUGE-L are the mean F1 of rouge-score (Lin: ROUGE, 2004), with stemming. Texts are compared in lower case.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from datasets_me.core import extras
from datasets_me.core.errors import MeDatasetsError, Place
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats import predictions
from datasets_me.scores.confusion import Confusion, confusion

CLASSES = ("coarse class", "fine-grained class", "side", "shown")
"""The kinds of questions whose answer is one of a few classes."""

_KINDS = (
    ("all together", re.compile(r"based on (it|them)")),
    ("coarse class", re.compile(r"coarse expression class")),
    ("fine-grained class", re.compile(r"fine-grained expression class")),
    ("side", re.compile(r"left or right")),
    ("shown", re.compile(r"shown on the face")),
    ("action units", re.compile(r"action units?")),
)
OTHER = "other"


@dataclass(frozen=True)
class KindScores:
    """The scores of one kind of question; ``classes`` are those of its classes, None where the answer is a text."""

    kind: str
    questions: int
    classes: Confusion | None
    bleu: float
    rouge1: float
    rouge_l: float


@dataclass(frozen=True)
class QuestionScores:
    """The scores by kind of question, and of all questions together, the last."""

    kinds: list[KindScores]
    findings: list[Finding]


@dataclass(frozen=True)
class _Line:
    place: Place
    question: str
    answer: str


def score_questions(truth: Path, answers: Sequence[Path]) -> QuestionScores:
    """Score answers to questions.

    An unanswered question counts as answered with nothing.

    Args:
        truth: JSONL with ``id``, ``question`` and ``answer``, such as ``me-datasets export vqa`` writes.
        answers: JSONL with ``id`` (or ``video_id``) and ``answer``.

    Raises:
        MeDatasetsError: a file cannot be read, or a library is missing.
    """
    wanted, findings = _read([truth])
    replies, more = _read(answers)
    findings += more
    findings += [
        finding("ME540", f"no question has the id {name}", place=line.place)
        for name, line in replies.items()
        if name not in wanted
    ]
    findings += [
        finding("ME543", f"{name} has no answer; it counts as wrong", place=line.place)
        for name, line in wanted.items()
        if name not in replies
    ]
    by_kind: dict[str, list[tuple[str, str]]] = {}
    for name, line in wanted.items():
        reply = replies[name].answer if name in replies else ""
        by_kind.setdefault(_kind(line.question), []).append((_plain(line.answer), _plain(reply)))
    order = [*(name for name, _ in _KINDS), OTHER]
    kinds = [_scores(kind, by_kind[kind]) for kind in sorted(by_kind, key=order.index)]
    every = [pair for pairs in by_kind.values() for pair in pairs]
    return QuestionScores([*kinds, _scores("all questions", every)], findings)


def _read(paths: Sequence[Path]) -> tuple[dict[str, _Line], list[Finding]]:
    """The lines of some files by id; findings about ids that occur again."""
    lines, findings = dict[str, _Line](), list[Finding]()
    for path in paths:
        text = predictions.text_of(path, predictions.content_of(path))
        for number, written in enumerate(text.splitlines(), start=1):
            if not written.strip():
                continue
            place = Place(path.name, None, number)
            try:
                line = json.loads(written)
                if not isinstance(line, dict):
                    raise TypeError("the line is not an object")
                name = str(line["video_id"] if "video_id" in line and "id" not in line else line["id"])
                if not isinstance(line["answer"], str):
                    raise TypeError(f"the answer {json.dumps(line['answer'])} is no text")
                entry = _Line(place, str(line.get("question", "")), line["answer"])
            except (ValueError, KeyError, TypeError) as error:
                reason = f"there is no {error}" if isinstance(error, KeyError) else str(error)
                raise MeDatasetsError(
                    f"not a question or an answer: {reason}",
                    where=str(Place(str(path), None, number)),
                    fix='write one JSON object in each line: {"id": …, "question": …, "answer": …}',
                ) from error
            if name in lines:
                findings.append(finding("ME542", f"{name} was answered before; that one counts", place=place))
            else:
                lines[name] = entry
    return lines, findings


def _kind(question: str) -> str:
    return next((name for name, pattern in _KINDS if pattern.search(question.lower())), OTHER)


def _plain(text: str) -> str:
    return " ".join(text.lower().split()).removesuffix(".")


def _scores(kind: str, pairs: Sequence[tuple[str, str]]) -> KindScores:
    try:
        from rouge_score.rouge_scorer import RougeScorer
        from sacrebleu.metrics.bleu import BLEU
    except ImportError as error:
        raise extras.missing(error.name or "sacrebleu") from error
    truths, replies = [truth for truth, _ in pairs], [reply for _, reply in pairs]
    scorer = RougeScorer(["rouge1", "rougeL"], use_stemmer=True)
    rouge = [scorer.score(truth, reply) for truth, reply in pairs]
    return KindScores(
        kind,
        len(pairs),
        confusion(truths, [reply or None for reply in replies]) if kind in CLASSES else None,
        BLEU(effective_order=True).corpus_score(replies, [truths]).score / 100,
        fmean(each["rouge1"].fmeasure for each in rouge),
        fmean(each["rougeL"].fmeasure for each in rouge),
    )
