"""A release described in Croissant 1.1 (JSON-LD of MLCommons).

It has the files with their hashes, and every table's columns with their types.

The description is part of the release, so it cannot name the release's version, which is the hash
of everything in it. Its own version is that of the tables' shape, with the beginning of the hash of
the tables as build metadata; and as nothing released depends on the time, it has no date. Which
column refers to which is in the data contracts: readers of Croissant would join the tables.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.fingerprint import ID_LENGTH, fingerprint
from tasks.release.integrity import file_sums, sums_of
from tasks.release.published_tables import PUBLISHED_TABLES, SHAPE_VERSION
from tasks.web import visible

CROISSANT: Final = "croissant.json"
CONFORMS_TO: Final = "http://mlcommons.org/croissant/1.1"
NO_LICENCE: Final = (
    "No licence is stated: the terms of the source reviews hold for what is drawn from them."
)
CITATION: Final = (
    "@inproceedings{liang2024llmredial, "
    "title={LLM-REDIAL: A Large-Scale Dataset for Conversational Recommender Systems "
    "Created from User Behaviors with LLMs}, "
    "author={Liang, Tingting and Jin, Chenxin and Wang, Lingzhi and Fan, Wenqi "
    "and Xia, Congying and Chen, Kai and Yin, Yuyu}, "
    "booktitle={Findings of the Association for Computational Linguistics: ACL 2024}, year={2024}}"
)
_DESCRIPTION = (
    "Conversational recommendation in the LLM-REDIAL layout: synthetic dialogues, "
    "each built from what one user really rated."
)
_TYPES: Mapping[str, str] = {
    "string": "sc:Text",
    "int32": "cr:Int32",
    "int64": "cr:Int64",
    "double": "cr:Float64",
}
_MEDIA_TYPES: Mapping[str, str] = {
    ".parquet": "application/x-parquet",
    ".json": "application/json",
    ".jsonl": "application/jsonlines",
    ".txt": "text/plain",
    ".md": "text/markdown",
    ".yaml": "application/yaml",
}
# The standard's own, word for word: readers warn about any other.
_CONTEXT: Mapping[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
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


def write_croissant(folder: Path, tables: Path, *, title: str, licence: str, language: str) -> None:
    """Write the description of a release whose other files are written, all but SHA256SUMS.

    Args:
        folder: the release.
        tables: its folder of Parquet files, which give the types.
        title: what a person calls the domain.
        licence: terms of the release, as an address or in words; empty if none are stated.
        language: of the dialogues, as an ISO code; empty if it is not known.
    """
    described = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": visible(" ".join(title.split())),
        "description": _DESCRIPTION,
        "license": licence or NO_LICENCE,
        "citeAs": CITATION,
        "version": f"{SHAPE_VERSION}+{fingerprint(sums_of(tables))[:ID_LENGTH]}",
        **({"inLanguage": language} if language else {}),
        "isLiveDataset": False,
        "distribution": [_file(path, digest) for path, digest in file_sums(folder).items()],
        "recordSet": list(_record_sets(tables)),
    }
    text = json.dumps(described, ensure_ascii=False, indent=1) + "\n"
    (folder / CROISSANT).write_text(text, encoding="utf-8", newline="\n")


def _file(path: str, digest: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": path,
        "name": path,
        "contentUrl": path,
        "encodingFormat": _MEDIA_TYPES[Path(path).suffix],
        "sha256": digest,
    }


def _record_sets(tables: Path) -> Iterator[dict[str, Any]]:
    for name, table in PUBLISHED_TABLES.items():
        path = f"{tables.name}/{name}.parquet"
        yield {
            "@type": "cr:RecordSet",
            "@id": name,
            "name": name,
            "description": table.grain,
            "key": [{"@id": f"{name}/{column}"} for column in table.key],
            "field": [
                _field(name, path, field) for field in pq.read_schema(tables / f"{name}.parquet")
            ],
        }


def _field(table: str, path: str, field: pa.Field) -> dict[str, Any]:
    column = PUBLISHED_TABLES[table].columns[field.name]
    listed = pa.types.is_list(field.type)
    described: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"{table}/{field.name}",
        "name": field.name,
        "description": column.about,
        "dataType": _TYPES[str(field.type.value_type if listed else field.type)],
        "source": {"fileObject": {"@id": path}, "extract": {"column": field.name}},
    }
    if listed:
        described |= {"isArray": True, "arrayShape": "-1"}
    return described
