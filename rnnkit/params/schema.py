"""The JSON schema of params files, for editors: keys, values and their descriptions."""

import json
from pathlib import Path
from typing import Any

from rnnkit.params.experiment import Experiment
from rnnkit.params.written import SCHEMA
from rnnkit.runtime.files import write_atomic

FILE = "schema.json"
"""Its name in the output folder."""


def schema() -> dict[str, Any]:
    """The schema, as JSON Schema 2020-12."""
    title = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "rnnkit params"}
    return {**Experiment.model_json_schema(), **title}


def is_current(file: Path) -> bool:
    """Whether a schema was written after the files that it is made from."""
    sources = Path(__file__).parent.glob("*.py")
    return file.exists() and file.stat().st_mtime > max(s.stat().st_mtime for s in sources)


def write_schema(file: Path) -> None:
    """Write the schema, if the file does not hold it already."""
    content = json.dumps(schema(), ensure_ascii=False, indent=1) + "\n"
    if not file.exists() or file.read_text(encoding="utf-8") != content:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(file, content)


def naming_schema(text: str, place: str) -> str:
    """A params file with another place of its schema, an address from the file's own folder."""
    lines = text.splitlines(keepends=True)
    return "".join(f"{SCHEMA}{place}\n" if line.startswith(SCHEMA) else line for line in lines)
