"""Mutations of a file's bytes: flips, truncations, splices, doubled lines and known bad pieces."""

from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import strategies as st

PIECES = (
    *(
        b'"',
        b"'",
        b"\0",
        b"\r",
        b"\n",
        b"\r\n",
        b"\t",
        b",",
        b";",
        b":",
        b" ",
        b"@",
        b"#",
        b"=",
        b".",
    ),
    *(
        b"[",
        b"]",
        b"{",
        b"}",
        b"[]",
        b"{}",
        b"null",
        b"true",
        b"NaN",
        b"Infinity",
        b"inf",
        b"-",
        b"+",
    ),
    *(b"1e308", b"-1e308", b"1e39", b"1e-320", b"1e999", b"0", b"-0", b"00", b"1_000", b"0x10"),
    *(b"9" * 400, b"9" * 5_000, b"[" * 150, b"[" * 5_000, b'{"a":' * 200, b"," * 300, b"\n" * 50),
    *(b"0000-01-01", b"0001-01-01", b"9999-12-31", b"1677-09-21", b"2262-04-12", b"-0005-01-01"),
    *(b"2024-02-30", b"2024-03-31T02:30", b"2024-01-01T00:00+14:00", b"24:00", b"+25:00", b"Z"),
    *(
        b"\\ud83d",
        b"\\u0000",
        b"\\",
        b"\xff",
        b"\xfe",
        b"\xed\xa0\xbd",
        b"\xef\xbb\xbf",
        b"\xc2\xa0",
    ),
    *("\u2028".encode(), "\u0661".encode(), "\u00df".encode(), "\U0001f600".encode()),
    *(b"\x1f\x8b", b"PK\x03\x04", b"BZh91AY&SY", b"RIFF", b"PAR1", b"\x7f" * 8, b"\xff" * 8),
    *(b"../", b"~nosuch/", b"/", b"__label__", b"-DOCSTART-", b"%s", b"{}", b"{0}", b"\x1b[31m"),
)
"""What breaks readers: quotes and breaks, numbers and times at their ends, halves of characters."""


class Mutation(NamedTuple):
    """A change of bytes.

    Args:
        kind: a function below.
        begin, end, to: places, as fractions of the length.
        piece: bytes to insert.
    """

    kind: str
    begin: float
    end: float
    to: float
    piece: bytes


def mutated(content: bytes, mutations: Sequence[Mutation]) -> bytes:
    for kind, begin, end, to, piece in mutations:
        length = len(content)
        a, b = sorted((int(begin * length), int(end * length)))
        place = int(to * length)
        if kind == "flip" and length:
            at = min(a, length - 1)
            content = content[:at] + bytes([content[at] ^ 1 << int(to * 7.99)]) + content[at + 1 :]
        elif kind == "truncate":
            content = content[:a]
        elif kind == "splice":
            content = content[:place] + content[a:b] + content[place:]
        elif kind == "delete":
            content = content[:a] + content[b:]
        elif kind == "insert":
            content = content[:a] + piece + content[a:]
        elif kind == "replace":
            content = content[:a] + piece + content[a + len(piece) :]
        elif kind == "lines":
            lines = content.splitlines(keepends=True)
            first = int(begin * len(lines))
            copies = 1 + int(end * 4)
            content = b"".join([*lines[:first], *lines[first : first + 1] * copies, *lines[first:]])
    return content


FRACTIONS = st.floats(0, 1, exclude_max=True)
MUTATIONS = st.lists(
    st.builds(
        Mutation,
        st.sampled_from(("flip", "insert", "replace", "splice", "delete", "lines", "truncate")),
        FRACTIONS,
        FRACTIONS,
        FRACTIONS,
        st.sampled_from(PIECES),
    ),
    min_size=1,
    max_size=5,
)
