"""The one exception that means: what the user gave must change."""


class InputError(ValueError):
    """Bad params or bad data, in one line: where, the rule, the facts, the next step.

    The command prints it and exits with status 2.
    """
