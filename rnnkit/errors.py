"""The one exception that means: what the user gave must change. The command turns it into a line and status 2."""


class InputError(ValueError):
    """Bad params or bad data. The message is one line: where, the rule, the facts, the next step."""
