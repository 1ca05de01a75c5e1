"""The exception for bad input, the warning, and the text of a message; hints in it."""

import difflib
import re

MAX_MESSAGE = 500
"""Characters of a message. A longer one loses its middle: it begins with the place and ends with
the next step."""
HIDDEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Characters that a terminal or a page would act on or drop: control characters but for tab and
line feed, separators, controls of the direction of writing, and halves of surrogate pairs."""


def escaped(text: str) -> str:
    r"""The text with escapes in place of `HIDDEN` characters.

    >>> print(escaped("a\x1b[31m b\x9b"))
    a\x1b[31m b\x9b
    """
    return HIDDEN.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def as_message(text: str) -> str:
    r"""The text as one line of at most `MAX_MESSAGE` characters, `HIDDEN` characters escaped.

    >>> as_message("a\nb\r\nc"), len(as_message("x" * 100_000))
    ('a b c', 500)
    """
    line = " ".join(escaped(text.replace("\r\n", "\n")).splitlines())
    if len(line) <= MAX_MESSAGE:
        return line
    begin = (MAX_MESSAGE - len(" … ")) // 2
    return f"{line[:begin]} … {line[len(line) - (MAX_MESSAGE - len(' … ') - begin) :]}"


class InputError(ValueError):
    """Bad params or bad data, in one line: where, the rule, the facts, the next step.

    The command prints it and exits with status 2.
    """

    def __init__(self, message: str) -> None:
        super().__init__(as_message(message))

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows in place of a traceback."""
        return [f"{type(self).__name__}: {self}"]


class UnreadableFile(InputError):
    """A file that is missing, empty or broken, whatever it is read as."""


def input_error(error: BaseException | None) -> InputError | None:
    """The bad input that a failure comes from, if it does."""
    while error is not None:
        if isinstance(error, InputError):
            return error
        error = error.__cause__ or error.__context__
    return None


class Note(UserWarning):
    """Something that went on all the same, and that the user should know of, in one line.

    The command prints it.
    """


def closest(wanted: str, present: list[str]) -> str:
    """A hint for a misspelt name, or nothing.

    >>> closest("lable", ["text", "label"])
    ' (did you mean label?)'
    >>> closest("x", ["text", "label"])
    ''
    """
    near = difflib.get_close_matches(wanted, present, n=1)
    return f" (did you mean {near[0]}?)" if near else ""
