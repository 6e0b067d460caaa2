"""What a message may repeat of a regime or calendar that somebody wrote: a word, never a text. It knows neither."""

import re

WORD = re.compile(r"[A-Za-z][A-Za-z_-]{0,63}")


def quoted(value: object) -> str:
    """A word in quotation marks, so that a slip of the pen is seen; of anything else, an ellipsis.

    An error goes to logs and to whoever called, and nobody knows what was pasted into a field: a number, a name.
    """
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, str) and WORD.fullmatch(value) else "'…'"
