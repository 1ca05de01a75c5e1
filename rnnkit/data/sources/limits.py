"""Limits of input files: a file beyond one is refused in one line, before it fills the memory.

A limit lies far above what data of this platform need, and low enough that reading up to it takes
less than 1 GiB beyond the file's own size.
"""

from typing import NoReturn

from rnnkit.errors import InputError, UnreadableFile

MAX_FILE_BYTES = 2**31
"""Size of a file, unpacked. Word vectors, which are read row by row, may be larger."""
MAX_EXPANSION = 100
"""Unpacked bytes per packed byte. Text unpacks to 3 to 20 times its size, zeros to 1,000 times."""
MIN_REFUSED_BYTES = 2**26
"""Unpacked bytes from which on MAX_EXPANSION holds."""
MAX_LINES = 50_000_000
"""Lines of a text file."""
MAX_LINE = 2**24
"""Characters of a line or of a CSV record, but for plain text, which may be one line."""
MAX_JSON = 2**25
"""Characters of a JSON file that is one value."""
MAX_NESTING = 100
"""Lists and objects within one another in JSON."""
MAX_COLUMNS = 50_000
"""Columns of a table, and numbers of a word vector."""
MAX_MISSING_FIELDS = 10_000_000
"""Fields that the rows of a table lack in all."""
MAX_NUMBER = 3.4028234663852886e38
"""Largest number of the data: that of float32, in which networks compute."""

MAX_SAMPLES = 100_000_000
"""Samples of a recording, of all channels, and resampled: 19 minutes in stereo at 44.1 kHz."""
SAMPLING_RATES = (100, 1_000_000)
"""Lowest and highest sampling rate of a recording, in Hz."""


def refuse_long_line(where: str, length: int) -> None:
    """Raise InputError for a line of more than MAX_LINE characters."""
    if length > MAX_LINE:
        raise InputError(
            f"{where}: a line may have {MAX_LINE:,} characters at most, but it has {length:,}; is "
            "a line break missing, or is the file of another kind?"
        )


def refuse_lines(where: str, count: int) -> NoReturn:
    """Raise InputError for a file of `count` lines, more than MAX_LINES."""
    raise InputError(
        f"{where}: a file may have {MAX_LINES:,} lines, but it has {count:,}; name a part of it"
    )


def refuse_size(where: str, size: int) -> None:
    """Raise InputError for a file of more than MAX_FILE_BYTES, read so far or in all."""
    if size > MAX_FILE_BYTES:
        raise UnreadableFile(
            f"{where}: a file may have {MAX_FILE_BYTES:,} bytes at most, but it has {size:,} or "
            "more; name a part of it"
        )


def refuse_expansion(where: str, unpacked: int, packed: int) -> None:
    """Raise InputError for unpacked bytes far beyond the packed ones."""
    if unpacked > max(MIN_REFUSED_BYTES, MAX_EXPANSION * packed):
        raise UnreadableFile(
            f"{where}: a packed file may unpack to {MAX_EXPANSION} times its size at most, but of "
            f"this one {packed:,} bytes unpack to {unpacked:,}; unpack it, or name a part of it"
        )


def refuse_columns(where: str, count: int) -> None:
    """Raise InputError for more than MAX_COLUMNS columns."""
    if count > MAX_COLUMNS:
        raise InputError(
            f"{where}: a table may have {MAX_COLUMNS:,} columns at most, but this one has "
            f"{count:,}; leave some out, or is a line break missing?"
        )


def refuse_missing(where: str, count: int) -> None:
    """Raise InputError for a table whose rows lack more than MAX_MISSING_FIELDS fields in all."""
    if count > MAX_MISSING_FIELDS:
        raise InputError(
            f"{where}: the rows of a table may lack {MAX_MISSING_FIELDS:,} fields in all, but they "
            f"lack {count:,} or more up to here; fill them in, or leave columns out"
        )
