"""The one exception that means: what the user gave must change; and the one warning."""


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
