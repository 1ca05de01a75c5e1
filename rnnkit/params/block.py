"""What every params block is: frozen, strict, without unknown keys. No field lives here."""

from collections.abc import Mapping
from typing import Annotated, Any, NoReturn, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import ErrorDetails, core_schema

Key = TypeVar("Key")
Value = TypeVar("Value")


class Block(BaseModel):
    """A part of the params tree."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        validate_default=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )


class FrozenDict(dict[Key, Value]):
    """A mapping that cannot be changed, so that a frozen block is frozen all the way down.

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
        return core_schema.dict_schema()  # a default that is one can stand in a JSON schema

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenDict, (dict(self),)


FrozenMapping = Annotated[Mapping[Key, Value], AfterValidator(FrozenDict)]
Names = Annotated[tuple[str, ...], Field(strict=False)]


def default_of(block: type[Block], name: str) -> Any:
    """What a key of a block holds where nothing is written."""
    return block.model_fields[name].get_default()


WHOLE = ("data", "model", "train")
"""The blocks of an experiment whose keys are always the same."""


def spelled_out(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes by their paths; one of a whole block is one of each key that it names, so that its
    others stay as they are.

    >>> spelled_out({"model": {"hidden": 3, "cell": {"kind": "rnn"}}, "seed": 1})
    {'model.hidden': 3, 'model.cell': {'kind': 'rnn'}, 'seed': 1}
    """
    found: dict[str, Any] = {}
    for path, value in changes.items():
        if path in WHOLE and isinstance(value, Mapping):
            found |= {f"{path}.{key}": inner for key, inner in value.items()}
        else:
            found[path] = value
    return found


def reason_of(error: ErrorDetails) -> str:
    """Why pydantic refuses a value, in the words of a params file."""
    if error["type"] == "extra_forbidden":
        return "there is no such key"
    if error["type"] == "union_tag_invalid":
        return f"there are {error['ctx']['expected_tags'].replace(chr(39), '')}"
    return error["msg"].removeprefix("Value error, ")
