"""Change the code in small ways, one at a time, and see whether a test notices.

``make mutants`` draws mutants by seed from the modules that decide numbers (``NEAREST``) and runs each in a copy of the
tree against the tests nearest to it: those of that module's test files that execute the changed line, the fastest
first, up to the first that fails. A mutant that no test notices survives and is listed with its place, the change and
the number of tests that ran the line; one on a line that no test executes survives without a run.

The changes: boundaries and negations of comparisons, other operators, numbers one more and one less, truth values,
conditions negated, and/or, ``not`` and minus left out, statements removed, arguments swapped, ends of slices moved and
left out, min/max and their like.

The exit code is 1 where less than ``--least`` of the mutants were noticed.
"""

from __future__ import annotations

import argparse
import ast
import compileall
import multiprocessing
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
COPIED = ("datasets_me", "schemas", "cards", "tests", "scripts", "pyproject.toml", "README.md")

NEAREST: dict[str, tuple[str, ...]] = {
    "convert/action_units.py": ("convert/test_action_units.py",),
    "convert/frames.py": ("convert/test_frames.py", "convert/test_convert.py"),
    "convert/normalise.py": ("convert/test_normalise.py", "convert/test_convert.py", "convert/test_decided.py"),
    "core/artefact.py": ("core/test_artefact.py",),
    "core/rates.py": ("core/test_rates.py",),
    "formats/missing_offset.py": ("formats/test_missing_offset.py",),
    "export/labels.py": ("export/test_labels.py", "export/test_segments.py"),
    "extract/ledger.py": ("extract/test_ledger.py",),
    "features/apex.py": ("features/test_apex.py",),
    "features/flow.py": ("features/test_flow.py", "features/test_lk.py", "features/test_tvl1_torch.py"),
    "features/interpolate.py": ("features/test_interpolate.py",),
    "features/least_squares.py": ("features/test_least_squares.py", "features/test_flow.py", "features/test_lk.py"),
    "features/lk.py": ("features/test_lk.py", "features/test_flow.py"),
    "features/mdmo.py": ("features/test_mdmo.py", "features/test_regions.py"),
    "features/regions.py": ("features/test_regions.py", "features/test_mdmo.py"),
    "features/rigid.py": ("features/test_rigid.py", "features/test_lk.py"),
    "features/strain.py": ("features/test_strain.py", "features/test_flow_images.py"),
    "features/trust.py": ("features/test_trust.py", "features/test_lk.py", "features/test_video.py"),
    "scores/action_units.py": ("scores/test_action_units.py",),
    "scores/agreement.py": ("scores/test_agreement.py",),
    "scores/bootstrap.py": ("scores/test_bootstrap.py",),
    "scores/confusion.py": ("scores/test_confusion.py", "scores/test_recognition.py"),
    "scores/ensemble.py": ("scores/test_ensemble.py",),
    "scores/spot_then_recognise.py": ("scores/test_spot_then_recognise.py",),
    "scores/truth.py": (
        "scores/test_truth.py",
        "scores/test_recognition.py",
        "scores/test_spotting.py",
        "scores/test_images.py",
    ),
    "scores/recognition.py": ("scores/test_recognition.py",),
    "scores/spotting.py": ("scores/test_spotting.py", "scores/test_spot_then_recognise.py"),
    "splits/protocols.py": ("splits/test_protocols.py", "splits/test_make.py"),
}
"""For each module the files of its tests; what is not there (yet, or any more) is passed over."""

PRELOADED = (
    "numpy",
    "cv2",
    "pydantic",
    "pyarrow.parquet",
    "openpyxl",
    "hypothesis",
    "pytest",
    "sklearn.model_selection",
)
"""Imported once and inherited by every run, which then takes a fraction of a second to start."""

MEMORY = 4 << 30
"""Bytes that a run may allocate: a mutant may well ask for everything."""

SWAPPED: dict[type[ast.AST], type[Any]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip

RENAMED = {
    "min": "max", "max": "min", "any": "all", "all": "any", "floor": "ceil", "ceil": "floor", "argmax": "argmin",
    "argmin": "argmax", "minimum": "maximum", "maximum": "minimum", "sum": "max", "round": "int", "rint": "floor",
}  # fmt: skip

COMMUTES = ("isinstance", "max", "maximum", "min", "minimum")
"""Calls whose first two arguments are as good the other way round, or cannot be."""


@dataclass(frozen=True)
class Mutant:
    """One change: bytes ``start`` to ``end`` of a module become ``new``. ``lines`` are those of its statement."""

    module: str
    line: int
    lines: tuple[int, int]
    start: int
    end: int
    new: str
    change: str


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: ``tests`` ran its line; ``by`` is the first that failed, None where none did."""

    mutant: Mutant
    tests: int
    by: str | None
    seconds: float


# --- the changes


class Changes(ast.NodeVisitor):
    """All mutants of a module, in the order of its text."""

    def __init__(self, module: str, source: str) -> None:
        self.module, self.source = module, source.encode()
        self.starts = [0]
        for line in source.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line.encode()))
        self.statement: tuple[int, int] = (1, 1)
        self.mutants: list[Mutant] = []
        self.visit(ast.parse(source))

    def add(self, node: Any, new: ast.AST | str) -> None:
        """Have a node replaced by another, or by a text."""
        start = self.starts[node.lineno - 1] + node.col_offset
        end = self.starts[node.end_lineno - 1] + node.end_col_offset
        old = self.source[start:end].decode()
        text = new if isinstance(new, str) else f"({ast.unparse(new)})"
        change = " ".join(f"{old} -> {text}".split())
        self.mutants.append(Mutant(self.module, node.lineno, self.statement, start, end, text, change))

    def visit(self, node: ast.AST) -> None:
        """Visit a node; of a statement, note its lines."""
        if isinstance(node, ast.stmt):
            # of a compound statement the head alone
            body = getattr(node, "body", None)
            last = body[0].lineno - 1 if isinstance(body, list) and body else node.end_lineno
            self.statement = (node.lineno, max(node.lineno, last or 0))
        super().visit(node)

    def generic_visit(self, node: ast.AST) -> None:
        """Visit everything below a node but annotations and decorators."""
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list", "type_params"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    kept = self.statement
                    self.visit(child)
                    self.statement = kept

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Messages are not numbers."""

    def visit_Raise(self, node: ast.Raise) -> None:
        """Leave out an error."""
        self.add(node, "pass")

    def visit_Assert(self, node: ast.Assert) -> None:
        """What must hold anyway."""

    def visit_keyword(self, node: ast.keyword) -> None:
        """Change the value of a keyword argument."""
        if node.arg != "strict":  # of zip: lengths agree anyway
            self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        """Shift a boundary or negate a comparison."""
        for index, operator in enumerate(node.ops):
            operators = [*node.ops]
            operators[index] = SWAPPED[type(operator)]()
            self.add(node, ast.Compare(node.left, operators, node.comparators))
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        """Swap ``and`` and ``or``."""
        self.add(node, ast.BoolOp(SWAPPED[type(node.op)](), node.values))
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        """Replace an operator."""
        if type(node.op) in SWAPPED and not _is_type(node):
            self.add(node, ast.BinOp(node.left, SWAPPED[type(node.op)](), node.right))
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """Leave out an update, or replace its operator."""
        self.add(node, "pass")
        if type(node.op) in SWAPPED:
            self.add(node, ast.unparse(ast.AugAssign(node.target, SWAPPED[type(node.op)](), node.value)))
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        """Leave out ``not`` or minus."""
        if not isinstance(node.op, ast.UAdd):
            self.add(node, node.operand)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        """Negate a truth value; make a number one more or one less."""
        if isinstance(node.value, bool):
            self.add(node, str(not node.value))
        elif isinstance(node.value, int | float):
            self.add(node, repr(node.value + 1))
            self.add(node, f"({node.value - 1!r})")

    def visit_Expr(self, node: ast.Expr) -> None:
        """Leave out a statement."""
        if not isinstance(node.value, ast.Constant):
            if not isinstance(node.value, ast.Yield | ast.YieldFrom):
                self.add(node, "pass")
            self.generic_visit(node)

    def visit_Continue(self, node: ast.Continue) -> None:
        """Leave out ``continue``."""
        self.add(node, "pass")

    def visit_Break(self, node: ast.Break) -> None:
        """Leave out ``break``."""
        self.add(node, "pass")

    def _condition(self, node: Any) -> None:
        if not isinstance(node.test, ast.Compare | ast.UnaryOp):
            self.add(node.test, ast.UnaryOp(ast.Not(), node.test))
        self.generic_visit(node)

    visit_If = visit_While = visit_IfExp = _condition  # noqa: N815

    def visit_comprehension(self, node: ast.comprehension) -> None:
        """Negate a condition of a comprehension."""
        for test in node.ifs:
            if not isinstance(test, ast.Compare | ast.UnaryOp):
                self.add(test, ast.UnaryOp(ast.Not(), test))
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        """Swap the first two arguments; call min for max and the like."""
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        two = len(node.args) >= 2 and not any(isinstance(arg, ast.Starred) for arg in node.args[:2])
        if two and name not in COMMUTES and ast.dump(node.args[0]) != ast.dump(node.args[1]):
            self.add(node, ast.Call(node.func, [node.args[1], node.args[0], *node.args[2:]], node.keywords))
        if name in RENAMED:
            other = RENAMED[name]
            renamed = ast.Attribute(node.func.value, other) if isinstance(node.func, ast.Attribute) else ast.Name(other)
            if not (isinstance(renamed, ast.Name) and other in ("ceil", "floor")):
                self.add(node, ast.Call(renamed, node.args, node.keywords))
        self.generic_visit(node)

    def visit_Slice(self, node: ast.Slice) -> None:
        """Leave out an end of a slice."""
        if node.lower is not None:
            self.add(node, ast.unparse(ast.Slice(None, node.upper, node.step)))
        if node.upper is not None:
            self.add(node, ast.unparse(ast.Slice(node.lower, None, node.step)))
        self.generic_visit(node)


def _is_type(node: ast.BinOp) -> bool:
    """Whether ``a | b`` is a union of types."""
    names = [part for part in ast.walk(node) if isinstance(part, ast.Name)]
    return isinstance(node.op, ast.BitOr) and any(part.id in ("int", "float", "str", "bool", "None") for part in names)


def mutants(module: str) -> list[Mutant]:
    """All mutants of a module that compile."""
    source = (REPOSITORY / "datasets_me" / module).read_text(encoding="utf-8")
    return [mutant for mutant in Changes(module, source).mutants if _compiles(changed(source, mutant))]


def changed(source: str, mutant: Mutant) -> str:
    """The module's text with the change in it."""
    text = source.encode()
    return (text[: mutant.start] + mutant.new.encode() + text[mutant.end :]).decode()


def _compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec")
    except (SyntaxError, ValueError):
        return False
    return True


# --- running tests in a copy of the tree


def copy_tree(place: Path) -> Path:
    """A copy of what the tests need, compiled so that a changed file is always noticed."""
    for name in COPIED:
        (shutil.copytree if (REPOSITORY / name).is_dir() else shutil.copy2)(REPOSITORY / name, place / name)
    for name in ("datasets_me", "tests"):
        compileall.compile_dir(place / name, quiet=2, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
    return place


def forked(work: Callable[[], int], output: Path, limit: float) -> int:
    """The exit code of ``work`` in a process of its own; -9 where it took longer than the limit, in seconds."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            os.setsid()
            handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(handle, 1)
            os.dup2(handle, 2)
            resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
            code = work()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    end = time.monotonic() + limit
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            _end_group(child)
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > end:
            _end_group(child)
            os.waitpid(child, 0)
            return -signal.SIGKILL
        time.sleep(0.01)


def _end_group(leader: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def run_pytest(tree: Path, tests: Iterable[str], plugins: Sequence[object] = ()) -> int:
    """Run tests of a copy, in this process."""
    os.chdir(tree)
    os.environ["PYTHONPATH"] = str(tree)
    sys.path.insert(0, str(tree))
    sys.dont_write_bytecode = True
    arguments = ["-x", "-q", "--tb=short", "-p", "no:cacheprovider", "--hypothesis-profile=mutants"]
    arguments += [f"--basetemp={tree / '.temporary'}"]  # pytest's own place is swept by other runs
    arguments += ["-W", "ignore::pytest.PytestAssertRewriteWarning", *tests]  # hypothesis is imported already
    return int(pytest.main(arguments, plugins=list(plugins)))


class Watch:
    """A plugin of pytest that notes which test executes which line, and how long it takes.

    What a fixture that several tests share executes is noted under the fixture's name; ``users`` says whose it is.
    """

    def __init__(self, coverage: Any) -> None:
        self.coverage = coverage
        self.test = ""
        self.seconds: dict[str, float] = defaultdict(float)
        self.users: dict[str, set[str]] = defaultdict(set)

    def pytest_collection_finish(self, session: Any) -> None:
        """Note which test uses which fixture."""
        for item in session.items:
            for name in item.fixturenames:
                self.users[name].add(item.nodeid)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Note what runs as the work of this test."""
        self.test = nodeid
        self.coverage.switch_context(nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Generator[None, Any, Any]:
        """Note what runs as the work of this fixture, if several tests share it."""
        if fixturedef.scope == "function":
            return (yield)
        self.coverage.switch_context(fixturedef.argname)
        try:
            return (yield)
        finally:
            self.coverage.switch_context(self.test)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Add up how long a test takes."""
        self.seconds[report.nodeid] += report.duration


@dataclass
class Reach:
    """What executes which lines of a module: tests, shared fixtures, and "" for the import.

    ``seconds`` is how long each test takes.
    """

    by_line: dict[int, set[str]]
    seconds: dict[str, float]
    users: dict[str, set[str]]

    def of(self, mutant: Mutant) -> list[str]:
        """The tests that execute a mutant's statement, fastest first; all of them, where importing does so, too."""
        wanted = range(mutant.lines[0], mutant.lines[1] + 1)
        inside = {context for line in wanted for context in self.by_line.get(line, ())}
        if "" in inside:
            return sorted(self.seconds, key=self._cost)
        found = {test for context in inside for test in self.users.get(context, {context})}
        return sorted(found & self.seconds.keys(), key=self._cost)

    def _cost(self, test: str) -> tuple[float, str]:
        return self.seconds[test], test


def reach(tree: Path, module: str) -> Reach:
    """Run a module's nearest tests once, as they are.

    Raises:
        SystemExit: one of them fails without any change.
    """
    import coverage

    files = [f"tests/{name}" for name in NEAREST[module] if (tree / "tests" / name).is_file()]
    if not files:
        return Reach({}, {}, {})
    data, output, noted = tree / ".coverage", tree / ".output", tree / ".noted"
    path = tree / "datasets_me" / module

    def work() -> int:
        watched = coverage.Coverage(data_file=str(data), include=[str(path)], config_file=False)
        watch = Watch(watched)
        watched.start()
        code = run_pytest(tree, files, [watch])
        watched.stop()
        watched.save()
        noted.write_text(repr((dict(watch.seconds), dict(watch.users))), encoding="utf-8")
        return code

    if forked(work, output, 600.0) != 0:
        sys.exit(f"the tests of {module} fail without any change:\n{output.read_text(encoding='utf-8')}")
    measured = coverage.CoverageData(basename=str(data))
    measured.read()
    by_line = {line: set(tests) for line, tests in measured.contexts_by_lineno(str(path)).items()}
    return Reach(by_line, *ast.literal_eval(noted.read_text(encoding="utf-8")))


class FirstFailure:
    """A plugin of pytest that writes down the test that failed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Write down a failure."""
        if report.failed:
            self.path.write_text(report.nodeid, encoding="utf-8")


_tree: Path | None = None


def _own_tree(folder: str) -> None:
    """Give a worker a copy of its own."""
    global _tree
    _tree = copy_tree(Path(tempfile.mkdtemp(dir=folder)))


def judge(task: tuple[Mutant, list[str], float]) -> Verdict:
    """Run the tests of one mutant."""
    mutant, tests, seconds = task
    assert _tree is not None
    tree, began = _tree, time.monotonic()
    path, failed = tree / "datasets_me" / mutant.module, tree / ".failed"
    original = path.read_text(encoding="utf-8")
    failed.unlink(missing_ok=True)
    path.write_text(changed(original, mutant), encoding="utf-8")
    try:
        code = forked(lambda: run_pytest(tree, tests, [FirstFailure(failed)]), tree / ".output", 15 + 5 * seconds)
    finally:
        path.write_text(original, encoding="utf-8")
    by: str | None = None
    if code != 0:
        by = failed.read_text(encoding="utf-8") if failed.exists() else f"exit code {code}"
    return Verdict(mutant, len(tests), by, time.monotonic() - began)


# --- the whole


def draw(modules: Sequence[str], count: int, seed: int) -> list[Mutant]:
    """Some of the mutants of some modules, each as likely as another."""
    every = [mutant for module in modules for mutant in mutants(module)]
    chosen = random.Random(seed).sample(range(len(every)), min(count, len(every)))
    return [every[index] for index in sorted(chosen)]


def judged(drawn: Sequence[Mutant], processes: int) -> Iterator[Verdict]:
    """What becomes of each mutant, as it is known."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        first = copy_tree(Path(tempfile.mkdtemp(dir=folder)))
        reached = {module: reach(first, module) for module in dict.fromkeys(mutant.module for mutant in drawn)}
        tasks = []
        for mutant in drawn:
            tests = reached[mutant.module].of(mutant)
            if tests:
                tasks.append((mutant, tests, sum(reached[mutant.module].seconds[test] for test in tests)))
            else:
                yield Verdict(mutant, 0, None, 0.0)
        with multiprocessing.get_context("fork").Pool(processes, _own_tree, (folder,)) as pool:
            yield from pool.imap_unordered(judge, tasks)


def show(verdict: Verdict) -> str:
    """A survivor, in a line."""
    mutant = verdict.mutant
    ran = f"{verdict.tests} tests run the line" if verdict.tests else "no test runs the line"
    return f"datasets_me/{mutant.module}:{mutant.line}: {mutant.change}  [{ran}]"


def main() -> int:
    """Draw mutants, run the tests on them and print what survived; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="of the draw (1)")
    parser.add_argument("--count", type=int, default=300, help="mutants to draw (300)")
    parser.add_argument("--processes", type=int, default=2, help="at a time (2)")
    parser.add_argument("--module", action="append", default=[], help="only of modules whose name holds this")
    parser.add_argument("--least", type=float, default=0.85, help="share that has to be noticed (0.85)")
    parser.add_argument("--killed", action="store_true", help="list those that were noticed, too, and by which test")
    arguments = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    for name in PRELOADED:
        import_module(name)
    wanted = [name for name in NEAREST if not arguments.module or any(part in name for part in arguments.module)]
    modules = [name for name in wanted if (REPOSITORY / "datasets_me" / name).is_file()]
    began = time.monotonic()
    results = []
    for verdict in judged(draw(modules, arguments.count, arguments.seed), arguments.processes):
        results.append(verdict)
        if arguments.killed and verdict.by:
            print(f"noticed: {show(verdict)} by {verdict.by} ({verdict.seconds:.1f} s)", flush=True)
        elif not verdict.by:
            print(show(verdict), flush=True)
    drawn, killed = (
        Counter(verdict.mutant.module for verdict in results if verdict.by or every) for every in (True, False)
    )
    print(f"\n{'module':32}{'drawn':>8}{'noticed':>9}{'share':>8}")
    for module in modules:
        if drawn[module]:
            print(f"{module:32}{drawn[module]:8}{killed[module]:9}{killed[module] / drawn[module]:8.0%}")
    share = killed.total() / max(drawn.total(), 1)
    print(f"{'seed ' + str(arguments.seed):32}{drawn.total():8}{killed.total():9}{share:8.1%}")
    print(f"in {time.monotonic() - began:.0f} s")
    return 0 if share >= arguments.least else 1


if __name__ == "__main__":
    sys.exit(main())
