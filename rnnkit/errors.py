"""The one exception that means: what the user gave must change; the one warning; and the hint."""

import difflib


class InputError(ValueError):
    """Bad params or bad data, in one line: where, the rule, the facts, the next step.

    The command prints it and exits with status 2.
    """


class UnreadableFile(InputError):
    """A file that is missing, empty or broken, whatever it is read as."""


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
