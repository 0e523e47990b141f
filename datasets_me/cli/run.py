"""The one wrapper around every verb: it turns what a stage answers, and what it refuses, into output and exit codes.

A verb calls its stage and returns an `Answer`. The wrapper adds the options that verbs share, prints the answer in the
form that was asked for, and ends the program: 0 done, 1 findings, 2 could not run, 130 stopped.
"""

from __future__ import annotations

import inspect
import io
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import typer

from datasets_me.cli import completion, log, show
from datasets_me.cli.options import FORCE
from datasets_me.core.choices import Severity
from datasets_me.core.errors import FindingsError, MeDatasetsError, StoppedError, plural
from datasets_me.core.extras import missing

if TYPE_CHECKING:
    from datasets_me.findings.finding import Finding

INTERRUPTED = 130
"""The exit code that shells expect of a program that Ctrl-C ended."""

TableOrJson = Literal["table", "json"]
Findings = Literal["table", "json", "sarif", "html"]

_EXPLAIN = "me-datasets explain CODE says what a finding means and what to do"


@dataclass(frozen=True)
class Answer:
    """What a verb has to say.

    Attributes:
        parts: lines and tables for people.
        findings: shown after the parts; one that is an error makes the exit code 1. None if the verb looks for none.
        looked_at: begins a line after the findings that counts them.
        ending: lines after that.
        data: for ``--json``; the findings are added to a mapping that has none.
        documents: what makes the text of a format from the findings, in place of all that is above.
        each: show one line per finding, not one per code.
        exit_code: None to ask the findings.
    """

    parts: Sequence[show.Part] = ()
    findings: Sequence[Finding] | None = None
    looked_at: str | None = None
    ending: Sequence[str] = ()
    data: Any = None
    documents: Mapping[str, Callable[[list[Finding]], str]] = field(default_factory=dict)
    each: bool = False
    exit_code: int | None = None


Verb = Callable[..., None]
"""A function that Typer can make a command of."""


def verb(
    example: str, *, formats: Any = TableOrJson, to_file: bool = False, selects: bool = False
) -> Callable[[Callable[..., Answer]], Verb]:
    """Make a command of a function that returns an `Answer`; `add` hangs it in.

    Every verb gets ``--json``, and ``--format`` unless its own ``--format`` is about the files it writes.

    Args:
        example: a command line, shown below the help.
        formats: a ``Literal`` of the formats of the answer; None where ``--format`` is the verb's own. A function with
            a parameter ``output`` is told which one is asked for.
        to_file: add ``-o`` and ``--force``, to write the answer to a file.
        selects: add ``--select``, ``--ignore`` and ``--severity``. A function with parameters ``select`` and ``ignore``
            is told them; the answer's findings are chosen by them in any case.
    """

    def decorate(function: Callable[..., Answer]) -> Verb:
        declared = inspect.signature(function, eval_str=True)

        @wraps(function)
        def command(**options: Any) -> None:
            output = "json" if options.pop("as_json") else options.get("output", "table")
            options["output"] = output
            out = options.pop("out") if to_file else None
            if to_file:
                _may_write(out, options.pop("force"))
            choose = _chooser(options) if selects else list
            from datasets_me.findings.choice import in_order

            try:
                with log.part(function.__name__.rstrip("_")):
                    answer = function(**{name: options[name] for name in declared.parameters})
            except StoppedError as stopped:
                show.echo(str(stopped), err=True)
                raise typer.Exit(INTERRUPTED) from None
            except KeyboardInterrupt:
                show.echo("stopped", err=True)
                raise typer.Exit(INTERRUPTED) from None
            findings = in_order(choose(answer.findings or ()))
            log.note(findings)
            _give(answer, findings, output, out)
            failed = any(finding.severity == "error" for finding in findings)
            code = int(failed) if answer.exit_code is None else answer.exit_code
            log.LOGGER.info("exit code %d, %d findings", code, len(findings))
            raise typer.Exit(code)

        shared = _shared(formats, to_file, selects)
        parameters = [parameter for parameter in declared.parameters.values() if parameter.name not in shared]
        signature = declared.replace(parameters=[*parameters, *shared.values()], return_annotation=None)
        command.__signature__ = signature  # type: ignore[attr-defined]
        command.example = example  # type: ignore[attr-defined]
        return command

    return decorate


def add(app: typer.Typer, name: str, command: Verb) -> None:
    """Hang a verb into the program or into a group of verbs."""
    summary = (inspect.getdoc(command) or "").partition("\n")[0]
    app.command(name, short_help=summary, epilog=f"\b\nExample:\n  {vars(command)['example']}")(command)


def group(text: str) -> typer.Typer:
    """A group of verbs, and what its help says."""
    app = typer.Typer(help=text, short_help=text, no_args_is_help=True)
    app.callback()(lambda: None)
    return app


def _shared(formats: Any, to_file: bool, selects: bool) -> dict[str, inspect.Parameter]:
    """The options that the wrapper adds, by name."""
    codes = "codes, or beginnings of codes"
    options: dict[str, tuple[Any, Any]] = {}
    if selects:
        for name, help_text in (("select", f"Only these {codes}: ME2,ME301."), ("ignore", f"Not these {codes}.")):
            option = typer.Option([], f"--{name}", help=help_text, autocompletion=completion.selected_codes)
            options[name] = list[str], option
        options["severity"] = Severity, typer.Option("info", "--severity", help="The lowest severity to report.")
    if formats is not None:
        options["output"] = formats, typer.Option("table", "--format", help="How to print the answer.")
    options["as_json"] = bool, typer.Option(False, "--json", help="Print JSON.")
    if to_file:
        options["out"] = Path, typer.Option(None, "-o", "--out", help="Write to this file, not to standard output.")
        options["force"] = bool, FORCE
    return {
        name: inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in options.items()
    }


def _may_write(out: Path | None, force: bool) -> None:
    from datasets_me.core.artefact import may_write

    may_write(out, force)


def _chooser(options: dict[str, Any]) -> Callable[[Sequence[Finding]], list[Finding]]:
    """What chooses the findings to report; the codes in ``options`` are read, and each must select something."""
    from datasets_me.findings.choice import chosen, read_codes

    select, ignore = (read_codes(options[name]) for name in ("select", "ignore"))
    options |= {"select": select, "ignore": ignore}
    return lambda findings: chosen(findings, select=select, ignore=ignore, severity=options["severity"])


def _give(answer: Answer, findings: list[Finding], output: str, out: Path | None) -> None:
    """Print an answer, or write it to a file."""
    if output in answer.documents:
        text = answer.documents[output](findings)
    elif output == "table":
        if out is None:
            _print(answer, findings, show.Screen())
            return
        file = io.StringIO()
        _print(answer, findings, show.Screen(file))
        text = file.getvalue().rstrip()
    else:
        data = answer.data
        if answer.findings is not None and "findings" not in data:
            data = {**data, "findings": [finding.model_dump(exclude_none=True) for finding in findings]}
        text = show.to_json(data)
    if out is None:
        show.echo_document(text, is_json=output in ("json", "sarif"))
    else:
        from datasets_me.core.artefact import write_file

        write_file(out, f"{text}\n".encode())
        what = f"{plural(len(findings), 'finding')} " if answer.each else ""
        show.echo(f"{what}written to {out}", err=True)


def _print(answer: Answer, findings: list[Finding], screen: show.Screen) -> None:
    from datasets_me.findings.summary import by_code, counted

    lines: list[show.Part] = list(answer.parts)
    if findings:
        lines += [""] if lines else []
        lines.append(show.findings_table(findings) if answer.each else show.findings_by_code(by_code(findings)))
    if answer.looked_at is not None or answer.ending:
        lines += [""] if lines else []
    if answer.looked_at is not None:
        lines.append(f"{answer.looked_at}: {counted(findings)}")
    lines += answer.ending
    lines += [_EXPLAIN] if findings and answer.each else []
    screen.print(*lines)


def refused(error: Exception) -> NoReturn:
    """End the program after an error that says why nothing, or no more, could be done.

    Raises:
        SystemExit: always, but for
        Exception: an error in this package itself.
    """
    if isinstance(error, BrokenPipeError):
        sys.stderr.close()  # the reader of our output went away; there is nobody to tell
        sys.exit(0)
    show.error(explained(error))
    sys.exit(1 if isinstance(error, FindingsError) else 2)


def explained(error: Exception) -> MeDatasetsError:
    """An error that any verb may run into, in our own words.

    Raises:
        Exception: it is an error in this package itself.
    """
    match error:
        case MeDatasetsError():
            return error
        case ModuleNotFoundError():
            if (error.name or "").startswith("datasets_me"):
                raise error
            return missing(error.name or "?")
        case ImportError():
            return MeDatasetsError(f"a library cannot be loaded: {error}")
        case MemoryError():
            return MeDatasetsError("there is not enough memory", fix="raise the limit, or use fewer --workers")
        case RecursionError():
            return MeDatasetsError("something in the input is nested too deeply")
        case OSError():
            return MeDatasetsError(error.strerror or str(error), where=str(error.filename or ""))
    raise error
