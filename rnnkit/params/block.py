"""Base class of the params blocks: frozen, strict, without unknown keys. Defines no field."""

from collections.abc import Mapping
from typing import Annotated, Any, NoReturn, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import ErrorDetails, core_schema

Key = TypeVar("Key")
Value = TypeVar("Value")


class Block(BaseModel):
    """A block of the params tree."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        validate_default=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )


class FrozenDict(dict[Key, Value]):
    """An immutable mapping, so that a frozen block is deeply frozen.

    >>> FrozenDict(a=1)["a"]
    1
    """

    def _refuse(self, *args: object, **kwargs: object) -> NoReturn:
        raise TypeError("params are frozen: make a new experiment with Experiment.replace")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __hash__(self) -> int:  # type: ignore[override]  # dict declares itself unhashable
        return hash(frozenset(self.items()))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        return core_schema.dict_schema()  # lets a JSON schema hold one as a default

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenDict, (dict(self),)


FrozenMapping = Annotated[Mapping[Key, Value], AfterValidator(FrozenDict)]
ColumnName = Annotated[
    str,
    BeforeValidator(
        lambda name: str(name) if type(name) is int else name, json_schema_input_type=str | int
    ),
]
"""Columns of a file without a header are named by their numbers."""
Names = Annotated[tuple[ColumnName, ...], Field(strict=False)]
"""Names of columns."""


def spelled_out(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes by path. A change of a whole block without kinds is split into its keys; others stay.

    >>> spelled_out({"model": {"hidden": 3, "cell": {"kind": "rnn"}}, "seed": 1})
    {'model.hidden': 3, 'model.cell': {'kind': 'rnn'}, 'seed': 1}
    """
    expanded: dict[str, Any] = {}
    for path, value in changes.items():
        if path in ("data", "model", "train") and isinstance(value, Mapping):
            expanded |= {f"{path}.{key}": inner for key, inner in value.items()}
        else:
            expanded[path] = value
    return expanded


def reason_of(error: ErrorDetails) -> str:
    """Reason for a pydantic error, in the terms of a params file."""
    if error["type"] == "extra_forbidden":
        return "there is no such key"
    if error["type"] == "union_tag_invalid":
        return f"there are {error['ctx']['expected_tags'].replace(chr(39), '')}"
    return error["msg"].removeprefix("Value error, ")
