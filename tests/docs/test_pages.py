"""What the documentation says of the program is what the program is."""

from __future__ import annotations

import ast
import importlib
import json
import re
from functools import cache
from pathlib import Path

import yaml

from datasets_me.core.version import __version__
from datasets_me.findings import documentation
from datasets_me.findings.codes import all_codes
from datasets_me.formats.kinds import KINDS
from tests.conftest import REPOSITORY

DOCS = REPOSITORY / "docs"
TOPS = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md")


@cache
def generated() -> dict[str, str]:
    import me_docs

    return me_docs.pages()


@cache
def written() -> dict[str, str]:
    """The pages that are written by hand, by their path from the repository's root."""
    import me_docs

    skipped = tuple(f"docs/{name}/" for name in me_docs.GENERATED)
    paths = [*(REPOSITORY / name for name in TOPS), *sorted(DOCS.rglob("*.md"))]
    names = {path.relative_to(REPOSITORY).as_posix(): path for path in paths}
    return {name: path.read_text(encoding="utf-8") for name, path in names.items() if not name.startswith(skipped)}


def test_every_code_has_a_page_with_all_that_is_known_of_it() -> None:
    index = generated()["findings/index.md"]
    for entry in all_codes().values():
        page = generated()[f"findings/{entry.code}.md"]
        assert page.startswith(f"# {entry.code} {entry.name}\n")
        assert f"**Severity:** {entry.severity}" in page
        assert entry.example in page
        assert f"[{entry.code}]({entry.code}.md)" in index
        assert Path(documentation.page(entry.code)).with_suffix(".md").as_posix() in generated()


def test_every_verb_is_described_with_all_its_options_and_has_a_place_in_the_guide() -> None:
    from me_docs import command_line

    guide = "\n".join(text for name, text in written().items() if name.startswith("docs/guide/"))
    verbs = list(command_line.verbs())
    assert len(verbs) > 30
    for path, command in verbs:
        page = generated()[f"reference/cli/{path[0]}.md"]
        assert f"me-datasets {' '.join(path)} [OPTIONS]" in page
        for param in command.params:
            assert param.hidden or f"`{param.opts[0] if param.opts[0][0] == '-' else param.name.upper()}`" in page
        assert f"{' '.join(path)}" in guide, f"the guide does not mention me-datasets {' '.join(path)}"


def test_every_key_of_a_schema_has_a_meaning_and_an_example() -> None:
    from me_docs import schemas

    notes = yaml.safe_load(schemas.NOTES.read_text(encoding="utf-8"))
    for kind in schemas.KINDS:
        for path, field in schemas.keys(kind):
            assert schemas.meaning(path, field, notes[kind.name]), f"describe {path} in the model, or in keys.yaml"
            if not schemas.models(field.annotation):
                example = schemas.example(kind, path, field, notes[kind.name])
                assert example is not None, f"give an example of {path} in {kind.shipped} or in keys.yaml"


def test_examples_come_from_the_files_that_are_shipped() -> None:
    page = generated()["reference/schemas/datasets.md"]
    what = "Template of the path of one folder of frames, or of one video file without suffix"
    assert f"| `folder` | text | required | {what} | `s{{folder:0}}/{{" in page
    assert "## `workbook.variants[].lookups.*`" in page


def test_every_kind_of_folder_and_every_column_is_described() -> None:
    from me_docs import formats

    assert set(formats.described()) == {kind.name for kind in KINDS}
    for name, record in formats.records().items():
        columns = list(formats.columns(record))
        assert [column for column, kind, _ in columns if kind] == list(record.model_fields)
        for column, _, meaning in columns:
            assert meaning, f"say in the docstring of {name}, or in docs/me_docs/columns.yaml, what {column} is"


def test_types_and_meanings_of_columns() -> None:
    page = generated()["reference/formats/records/Annotation.md"]
    assert "| `apex` | int32 or null | The frame of the strongest expression, 0-based;" in page
    assert "| `aus` | list of struct |" in page
    assert "| `extra` | map of text to text |" in page


def test_files_that_nobody_described_are_found(tmp_path: Path) -> None:
    from me_docs import formats

    folder = tmp_path / "made" / "manifest"
    (folder / "deep").mkdir(parents=True)
    for name in ("annotations.parquet", "videos.parquet", "schema.yaml", "notes.txt", "deep/schema.yaml"):
        (folder / name).touch()
    (folder / "manifest.json").write_text(json.dumps({"kind": "manifest"}))
    (tmp_path / "other.json").write_text("[]")
    assert formats.undescribed(tmp_path) == [
        "deep/schema.yaml in the manifest made/manifest",
        "notes.txt in the manifest made/manifest",
    ]


def test_the_public_names_are_in_the_reference() -> None:
    import datasets_me

    page = written()["docs/reference/python.md"]
    documented = set(re.findall(r"^\.\. auto\w+:: (\w+)$", page, re.MULTILINE))
    assert set(datasets_me.__all__) - {"__version__"} <= documented


def test_constants_that_pages_name_are_there() -> None:
    page = generated()["reference/constants/index.md"]
    assert re.search(r"\| `WINDOW` \| `0\.\d+` \| Standard deviation of the window as a fraction of the width", page)
    for name, text in written().items():
        for module, constant in re.findall(r"`([a-z_]+)\.([A-Z][A-Z_]+)`", text):
            section = page.partition(f"/{module}.py\n")[2].partition("\n## ")[0]
            assert f"| `{constant}` |" in section, f"{name} names {module}.{constant}"


def test_links_lead_somewhere() -> None:
    pages = {**written(), **{f"docs/{name}": text for name, text in generated().items()}}
    anchors = {name: {slug(title) for title in re.findall(r"^#+ (.+)$", text, re.M)} for name, text in pages.items()}
    checked = 0
    for name, text in written().items():
        for target in re.findall(r"\]\(([^)\s]+)\)", without_code(text)):
            if "://" in target:
                continue
            file, _, anchor = target.partition("#")
            path = (REPOSITORY / name).parent.joinpath(file).resolve() if file else REPOSITORY / name
            place = path.relative_to(REPOSITORY).as_posix()
            assert place in pages or path.exists(), f"{name} links to {target}"
            assert not anchor or anchor in anchors[place], f"{name} links to {target}"
            checked += 1
    assert checked > 80


def test_the_readme_is_short() -> None:
    assert len(written()["README.md"].splitlines()) <= 160
    assert (DOCS / "pictures" / "motion.png").stat().st_size < 200 * 1024


def blocks_of_python() -> list[tuple[str, str]]:
    """Python in pages and notebooks, with the page's name."""
    blocks = [
        (name, block)
        for name, text in written().items()
        for block in re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    ]
    for path in sorted(DOCS.rglob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        blocks += [(path.name, source) for source in sources if not source.startswith("!")]
    return blocks


def test_python_in_the_documentation_names_what_is_there() -> None:
    named = 0
    for name, block in blocks_of_python():
        for node in ast.walk(ast.parse(block, name)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("datasets_me"):
                module = importlib.import_module(node.module or "")
                for alias in node.names:
                    if not hasattr(module, alias.name):
                        importlib.import_module(f"{node.module}.{alias.name}")
                    named += 1
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "me":
                assert node.attr in importlib.import_module("datasets_me").__all__, f"{name}: me.{node.attr}"
                named += 1
    assert named > 30


def test_the_version_is_the_same_everywhere() -> None:
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == __version__
    assert f"\n## [{__version__}] - {citation['date-released']}\n" in written()["CHANGELOG.md"]


def test_what_pages_follow_is_there() -> None:
    import replay

    paths = [REPOSITORY / name for name in written()]
    chains = replay.chains(paths)
    placed = [path for chain in chains for path in chain]
    assert len(placed) == len(set(placed)) > 10
    guide = next(chain for chain in chains if chain[0].name == "synthetic.md")
    assert [path.name for path in guide[:2]] == ["synthetic.md", "manifests.md"]
    assert {path.name for path in guide[2:]} >= {"folders.md", "scores.md", "splits.md"}


def slug(title: str) -> str:
    """The anchor that a heading gets."""
    return re.sub(r"[^\w\- ]", "", title.strip().lower().replace("`", "")).replace(" ", "-")


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
