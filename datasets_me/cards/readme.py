"""The card as ``README.md`` in the form of the Hugging Face Hub: YAML front matter, then Markdown.

The keys of the front matter are those of the Hub's dataset card specification
(github.com/huggingface/hub-docs, datasetcard.md).
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from datasets_me.cards.card import PLOTS, Card
from datasets_me.core import resources
from datasets_me.core.errors import plural
from datasets_me.core.version import __version__

_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
_SHOWN = 10  # findings of one code that are listed
_SPECIAL = re.compile(r"[\\`*\[\]<>|~&#$]|(?<![^\W_])_|_(?![^\W_])")


class Raw(str):
    """Text that is Markdown already; the template escapes any other text."""


def to_markdown(card: Card) -> str:
    """The whole ``README.md``; every text of the manifest is escaped, so that it is shown literally."""
    import jinja2

    template = resources.package_file("cards/README.md.j2").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_shown,
    )
    environment.filters |= {"code": code, "cell": cell, "plural": plural, "raw": Raw}
    spec = card.manifest.spec
    text = environment.from_string(template).render(
        card=card,
        facts=card.facts,
        spec=spec,
        schema=card.manifest.schema,
        captions=PLOTS,
        version=__version__,
        shown=_SHOWN,
        page=web_address(spec.licence.page),
    )
    body = re.sub(r"\n{3,}", "\n\n", text)
    front = yaml.safe_dump(front_matter(card), sort_keys=False, allow_unicode=True, width=1_000_000)
    return f"---\n{front}---\n\n{body.strip()}\n"


def front_matter(card: Card) -> dict[str, Any]:
    """The metadata that the Hub reads. The licence is the dataset's own (``other``); the viewer has nothing to show."""
    spec, facts = card.manifest.spec, card.facts
    page = web_address(spec.licence.page)
    terms = " ".join(spec.licence.terms.split())
    tags = ["facial-expressions", *(f"{kind}-expressions" for kind in facts.types), "croissant"]
    front: dict[str, Any] = {
        "pretty_name": " ".join(spec.title.split()),
        "license": "other",
        "license_name": f"{spec.id}-licence",
    }
    if page:
        front["license_link"] = page
    if facts.emotions:
        front["task_categories"] = ["video-classification"]
    if facts.aus:
        tags.append("action-units")
    front["tags"] = tags
    front["size_categories"] = [next((name for most, name in _SIZES if facts.annotations < most), "n>10M")]
    front["extra_gated_prompt"] = f"{terms} Request access at {page or ' '.join(spec.licence.page.split())}"
    front["viewer"] = False
    return front


def web_address(text: str) -> str | None:
    """The text if it is an address that may be linked, otherwise None."""
    return text if re.fullmatch(r"https?://[^\s<>\"'`|\\]+", text) else None


def escape(text: str) -> str:
    """Text in one line that Markdown shows literally."""
    return _SPECIAL.sub(lambda match: f"\\{match[0]}", " ".join(text.split()))


def code(text: object) -> Raw:
    """Text in one line as code, with a fence longer than any it holds."""
    line = " ".join(str(text).split())
    if not line:
        return Raw("–")
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    padding = " " if line.startswith("`") or line.endswith("`") else ""
    return Raw(f"{fence}{padding}{line}{padding}{fence}")


def cell(text: object) -> Raw:
    """The same for a table, where a bar would end the cell even within code."""
    return Raw(code(text).replace("|", "\\|"))


def _shown(value: object) -> str:
    if isinstance(value, Raw):
        return value
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.4g}"
    return escape(str(value))
