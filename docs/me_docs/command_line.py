"""The reference of the command line, from the Typer app itself."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import typer

from datasets_me.cli import app
from me_docs.markdown import block, code, page, paragraphs, table, text, toctree

FOLDER = "reference/cli"

_WORDS = {str: "text", int: "number", float: "number", Path: "path"}


def verbs(command: Any | None = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every verb with the words that call it: ``("export", "clips")``, in the order of the help."""
    command = command or typer.main.get_command(app)
    for name, below in command.commands.items():
        if getattr(below, "commands", None):
            yield from verbs(below, (*path, name))
        else:
            yield (*path, name), below


def pages() -> dict[str, str]:
    """A page per verb or group of verbs, and the page that lists them."""
    program = typer.main.get_command(app)
    groups = dict(program.commands)
    made = {f"{FOLDER}/{name}.md": page(_verb_page(name, command)) for name, command in groups.items()}
    made[f"{FOLDER}/index.md"] = page(
        [
            "# Command line",
            "",
            "Generated from the program itself; `me-datasets VERB --help` prints the same. Exit codes: 0 done, "
            "1 there are error findings, 2 could not run, 130 stopped by Ctrl-C.",
            "",
            *table(
                ["verb", "what it does"],
                [[f"[{name}]({name}.md)", text(_summary(command))] for name, command in groups.items()],
            ),
            *(
                ["## Options of the program", "", "They stand before the verb.", "", *_options(program)]
                if any(_is_option(param) for param in program.params)
                else []
            ),
            *toctree(groups),
        ]
    )
    return made


def _verb_page(name: str, command: Any) -> list[str]:
    lines = [f"# me-datasets {name}", ""]
    below = list(verbs(command, (name,))) if getattr(command, "commands", None) else []
    if not below:
        return [*lines, *_described(command), *_usage((name,), command)]
    lines += paragraphs(inspect.cleandoc(command.help or ""))
    for path, verb in below:
        lines += [f"## {' '.join(path)}", "", *_described(verb), *_usage(path, verb)]
    return lines


def _described(command: Any) -> list[str]:
    lines = paragraphs(inspect.cleandoc(command.help or ""))
    epilog = inspect.cleandoc((command.epilog or "").replace("\b", "")).strip()
    heading, _, example = epilog.partition("\n")
    return [*lines, *(["Example:", "", *block("console", inspect.cleandoc(example))] if heading == "Example:" else [])]


def _usage(path: tuple[str, ...], command: Any) -> list[str]:
    arguments = [param for param in command.params if not _is_option(param)]
    words = [param.name.upper() if param.required else f"[{param.name.upper()}]" for param in arguments]
    lines = block("text", " ".join(["me-datasets", *path, "[OPTIONS]", *words]))
    if arguments:
        lines += table(
            ["argument", "what"], [[code(param.name.upper()), text(param.help or "")] for param in arguments]
        )
    return [*lines, *_options(command)]


def _options(command: Any) -> list[str]:
    rows = [
        [_names(param), _values(param), _default(param), text(param.help or "")]
        for param in command.params
        if _is_option(param) and not param.hidden
    ]
    return table(["option", "value", "default", "what"], rows) if rows else []


def _is_option(param: Any) -> bool:
    return str(param.opts[0]).startswith("-")


def _names(param: Any) -> str:
    return ", ".join(code(name) for name in [*param.opts, *param.secondary_opts])


def _values(param: Any) -> str:
    """What an option takes, in words; of a choice, every value."""
    if param.is_flag:
        return ""
    if not hasattr(param, "type_descriptor"):  # Typer before it had a parser of its own
        words = ", ".join(map(code, getattr(param.type, "choices", ()))) or str(param.type.name)
        return f"{words}, several times" if param.multiple else words
    annotation = param.type_descriptor.annotation
    several = typing.get_origin(annotation) is list
    if several:
        (annotation,) = typing.get_args(annotation)
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        annotation = next(one for one in typing.get_args(annotation) if one is not type(None))
    if typing.get_origin(annotation) is typing.Literal:
        words = ", ".join(code(value) for value in typing.get_args(annotation))
    elif isinstance(annotation, type) and issubclass(annotation, Enum):
        words = ", ".join(code(value.value) for value in annotation)
    else:
        words = _WORDS.get(annotation, "text")
    return f"{words}, several times" if several or param.multiple else words


def _default(param: Any) -> str:
    if param.required:
        return "required"
    default = param.default
    if callable(default) or default in (None, "", False, [], ()):
        return ""
    return code(default.value if isinstance(default, Enum) else default)


def _summary(command: Any) -> str:
    """The first sentence of a verb's help, as the list of verbs shows it."""
    return inspect.cleandoc(command.help or "").partition("\n\n")[0]
