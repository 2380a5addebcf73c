"""The one exception of the project."""


class HeldoutError(Exception):
    """What a person can mend: bad data, a bad setting, a split that leaks.

    The text names the thing, what was expected, what came, and what to do.
    """
