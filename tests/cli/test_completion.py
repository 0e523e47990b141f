"""What the shell offers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_run import VERBS


def offered(names: tuple[str, ...], parameter: str, incomplete: str) -> list[str]:
    """What a shell is told of an argument or option of a verb."""
    verb = VERBS[names]
    context = verb.context_class(verb)
    (found,) = [each for each in verb.params if each.name == parameter]
    return [item.value for item in found.shell_complete(context, incomplete)]


@pytest.mark.parametrize(
    ("names", "parameter", "incomplete", "values"),
    [
        (("convert",), "dataset", "casm", ["casme-sq", "casme", "casme2", "casme3-a", "casme3-c"]),
        (("prepare",), "dataset", "casme2", ["casme2"]),
        (("diff",), "dataset", "smic", ["smic-hs", "smic-nir", "smic-vis"]),
        (("explain",), "code", "ME20", ["ME201", "ME202", "ME203", "ME204", "ME205", "ME206", "ME207", "ME208"]),
        (("check",), "select", "ME301,ME31", ["ME301,ME310", "ME301,ME311", "ME301,ME312"]),
        (("images", "import"), "schema", "ck", ["ck48", "ckplus"]),
        (("split",), "protocol", "l", ["loso"]),
        (("check-split",), "output", "s", ["sarif"]),
    ],
)
def test_words_that_are_known(names: tuple[str, ...], parameter: str, incomplete: str, values: list[str]) -> None:
    assert offered(names, parameter, incomplete)[: len(values)] == values


def test_schemas_in_the_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("lab.yaml", "lab.txt", "other.yaml"):
        (tmp_path / name).touch()
    (tmp_path / "labs").mkdir()
    monkeypatch.chdir(tmp_path)
    assert offered(("datasets",), "dataset", "la") == ["lab.yaml", "labs/"]
    assert offered(("datasets",), "dataset", f"{tmp_path}/") == [
        f"{tmp_path}/{n}" for n in ("lab.yaml", "labs/", "other.yaml")
    ]
    assert offered(("datasets",), "dataset", "no/such/") == []
