"""The card as Croissant JSON-LD, format 1.0 (docs.mlcommons.org/croissant/docs/croissant-spec.html).

It describes the files of the manifest by name, as if they were beside ``croissant.json``, and by hash. They are not
copied there, because most licences forbid passing annotations on. To load the records, give the paths of the files
(``mapping`` of ``mlcroissant.Dataset``) or put the files beside it.
"""

from __future__ import annotations

import json
import re
from typing import Any

from datasets_me.cards.card import TABLES, Card, ManifestFile
from datasets_me.cards.readme import web_address
from datasets_me.core import resources
from datasets_me.core.errors import plural
from datasets_me.core.tables import Record, arrow_schema
from datasets_me.findings.finding import Finding
from datasets_me.formats.records import Annotation, Video
from datasets_me.schema import yaml_files

_CONFORMS = "http://mlcommons.org/croissant/1.0"
# The context of the specification, which readers compare with.
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_FORMATS = {".parquet": "application/x-parquet", ".json": "application/json", ".yaml": "application/yaml"}
_MODELS: dict[str, type[Record]] = {"annotations": Annotation, "videos": Video, "findings": Finding}


def to_croissant(card: Card) -> str:
    """The JSON-LD text: the dataset, the manifest's files, and one record set per table."""
    spec, facts = card.manifest.spec, card.facts
    page = web_address(spec.licence.page)
    year = re.findall(r"\b(?:19|20)[0-9]{2}\b", spec.citation)
    summary = (
        f"{plural(facts.annotations, 'annotated facial expression')} of {plural(len(facts.subjects), 'subject')} in "
        f"{plural(facts.videos, 'video')}. {spec.licence.terms}"
    )
    about = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": _CONFORMS,
        "name": spec.id,
        "alternateName": spec.title,
        "description": f"{card.prose}\n\n{summary}" if card.prose else f"{spec.title}: {summary}",
        "url": page,
        "license": page or spec.licence.terms,
        "conditionsOfAccess": f"{spec.licence.terms} Request access at {spec.licence.page}",
        "citeAs": spec.citation,
        "datePublished": year[-1] if year else None,  # of the paper, to the year, which ISO 8601 allows
        "version": f"{spec.version}.0.0",
        "isLiveDataset": False,
        "keywords": ["facial expressions", *(f"{kind}-expressions" for kind in facts.types)],
        "distribution": [_file(file) for file in card.files],
        "recordSet": [_record_set(table) for table in TABLES],
    }
    return json.dumps({key: value for key, value in about.items() if value is not None}, indent=2, ensure_ascii=False)


def described_columns() -> dict[str, Any]:
    """Per table: what a row is, its key, and what its columns mean; ``aus.side`` is a field of the list ``aus``."""
    path = resources.package_file("cards/columns.yaml")
    tables: dict[str, Any] = yaml_files.load(path.read_text(encoding="utf-8"), path.name).value
    return tables


def _file(file: ManifestFile) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": file.name,
        "name": file.name,
        "description": "A file of the manifest.",
        "contentUrl": file.name,
        "contentSize": f"{file.bytes} B",
        "encodingFormat": _FORMATS[file.name[file.name.rindex(".") :]],
        "sha256": file.sha256,
    }


def _record_set(table: str) -> dict[str, Any]:
    described = described_columns()[table]
    records: dict[str, Any] = {
        "@type": "cr:RecordSet",
        "@id": table,
        "name": table,
        "description": described["about"],
        "field": [_field(table, column, described["columns"]) for column in arrow_schema(_MODELS[table])],
    }
    if "key" in described:
        records["key"] = {"@id": f"{table}/{described['key']}"}
    return records


def _field(table: str, column: Any, texts: dict[str, str]) -> dict[str, Any]:
    """A column: a number or text, a list of texts, or a list of structs with a sub-field per field.

    A map is read as a list of pairs, so its sub-fields are the first and the second of each.
    """
    import pyarrow as pa

    field = _named(f"{table}/{column.name}", texts[column.name])
    kind = column.type
    if pa.types.is_map(kind):
        parts = [
            ("key", "The name.", "sc:Text", "$[0]"),
            ("value", "The text.", "sc:Text", "$[1]"),
        ]
    elif pa.types.is_list(kind) and pa.types.is_struct(kind.value_type):
        parts = [
            (part.name, texts[f"{column.name}.{part.name}"], _data_type(part.type), f"$.{part.name}")
            for part in kind.value_type
        ]
    else:
        listed = pa.types.is_list(kind)
        field |= {"dataType": _data_type(kind.value_type if listed else kind), "source": _source(table, column.name)}
        return field | ({"repeated": True} if listed else {})
    fields = [
        _named(f"{table}/{column.name}/{name}", text)
        | {"dataType": data_type, "source": _source(table, column.name) | {"transform": {"jsonPath": path}}}
        for name, text, data_type, path in parts
    ]
    return field | {"repeated": True, "subField": fields}


def _named(identifier: str, text: str) -> dict[str, Any]:
    return {"@type": "cr:Field", "@id": identifier, "name": identifier.rpartition("/")[2], "description": text}


def _source(table: str, column: str) -> dict[str, Any]:
    return {"fileObject": {"@id": f"{table}.parquet"}, "extract": {"column": column}}


def _data_type(kind: Any) -> str:
    return {"int32": "sc:Integer", "double": "sc:Float", "bool": "sc:Boolean"}.get(str(kind), "sc:Text")
