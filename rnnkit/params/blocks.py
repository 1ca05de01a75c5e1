"""Blocks that an annotation of the params allows, and their kinds."""

from typing import Any

from pydantic import BaseModel


def blocks_of(annotation: Any) -> list[type[BaseModel]]:
    """Blocks that an annotation allows."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [b for inner in getattr(annotation, "__args__", ()) for b in blocks_of(inner)]


def kind_of(block: type[BaseModel]) -> Any:
    """A block's kind; None: it has none."""
    field = block.model_fields.get("kind")
    return None if field is None else field.get_default()
