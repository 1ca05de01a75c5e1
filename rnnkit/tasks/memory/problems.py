"""The standard long-memory problems, drawn: one function per problem.

Each takes how many sequences, the length and a generator, and gives symbols or numbers with
their targets. What makes a sequence hard is how far back the answer lies, and that is the length.

References: S. Hochreiter, J. Schmidhuber, Long short-term memory, Neural Computation 9, 1997
(adding, temporal order, embedded Reber: experiments 4, 6a and 1); A. S. Reber, Implicit learning of
artificial grammars, 1967; M. Arjovsky et al., Unitary evolution recurrent neural networks, 2016
(copying).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

Marked = tuple[list[np.ndarray], np.ndarray]  # [steps, 2] each, and a number each
Labelled = tuple[list[list[str]], list[str]]  # symbols, and a label each
Followed = tuple[list[list[str]], list[list[str]]]  # symbols, and as many targets

NEAR = 0.04
"""A sum that is less far off is right (Hochreiter and Schmidhuber 1997, experiment 4)."""
COPIED = 10
"""Symbols that are to be given again."""

GRAMMAR: Mapping[int, tuple[tuple[str, int], ...]] = {
    0: (("B", 1),),
    1: (("T", 2), ("P", 3)),
    2: (("S", 2), ("X", 4)),
    3: (("T", 3), ("V", 5)),
    4: (("X", 3), ("S", 6)),
    5: (("P", 4), ("V", 6)),
    6: (("E", 7),),
}
"""Reber's grammar: state -> the symbols that may come, each with the state it leads to."""
LAST = 6
"""The state from which a string ends."""


def adding(count: int, length: int, draw: np.random.Generator) -> Marked:
    """The sum of two marked numbers, brought to 0.5 + (X1 + X2) / 4.

    A step is (a number in [-1, 1], a mark). Marks are 1 at X1, among the first ten steps, and at
    X2, elsewhere in the first half; -1 at both ends; else 0. Where X1 is the very first number it
    is set to 0, and its mark stays -1.
    """
    sequences, sums = [], np.empty(count)
    for i in range(count):
        steps = _steps(length, draw)
        numbers, marks = draw.uniform(-1, 1, steps), np.zeros(steps)
        marks[[0, -1]] = -1
        first = int(draw.integers(0, min(10, steps - 1)))
        second = first
        while second == first:
            second = int(draw.integers(0, steps // 2 - 1))
        for place in (first, second):
            if place == 0:
                numbers[0] = 0.0
            else:
                marks[place] = 1
        sequences.append(np.stack([numbers, marks], axis=1))
        sums[i] = 0.5 + (numbers[first] + numbers[second]) / 4
    return sequences, sums


def temporal_order(count: int, length: int, draw: np.random.Generator) -> Labelled:
    """The order of two symbols of X and Y, one in the second tenth, one in the sixth.

    Other symbols are drawn from a, b, c and d; the first is E, the last B.
    """
    sequences, labels = [], []
    for _ in range(count):
        steps = _steps(length, draw)
        symbols = draw.choice(list("abcd"), steps).tolist()
        symbols[0], symbols[-1] = "E", "B"
        places = [int(draw.integers(length * k // 10, length * (k + 1) // 10)) for k in (1, 5)]
        chosen = draw.choice(["X", "Y"], 2).tolist()
        for place, symbol in zip(places, chosen, strict=True):
            symbols[place] = symbol
        sequences.append(symbols)
        labels.append("".join(chosen))
    return sequences, labels


def copying(count: int, length: int, draw: np.random.Generator) -> Followed:
    """Ten symbols of eight, a pause of blanks `_` whose end is told by `:`, the symbols again."""
    drawn = draw.integers(0, 8, (count, COPIED)).astype(str).tolist()
    blank = ["_"]
    inputs = [[*own, *blank * (length - 1), ":", *blank * COPIED] for own in drawn]
    targets = [[*blank * (length + COPIED), *own] for own in drawn]
    return inputs, targets


def embedded_reber(count: int, length: int, draw: np.random.Generator) -> Followed:
    """The next symbol of B (T|P) … (T|P) E, where … is a string of Reber's grammar.

    The last but one repeats the second. Every edge of the grammar is as likely as the others of
    its state, but those that lead to the end are taken only once the string is long enough.
    """
    inputs, targets = [], []
    for _ in range(count):
        kept = "TP"[int(draw.integers(0, 2))]
        string = ["B", kept, *_reber(length - 4, draw), kept, "E"]
        inputs.append(string[:-1])
        targets.append(string[1:])
    return inputs, targets


def _reber(least: int, draw: np.random.Generator) -> list[str]:
    """A string of the grammar with at least so many symbols."""
    state, symbols = 0, list[str]()
    while state in GRAMMAR:
        edges = GRAMMAR[state]
        if len(symbols) + 2 < least:
            edges = tuple(edge for edge in edges if edge[1] != LAST)
        symbol, state = edges[int(draw.integers(0, len(edges)))]
        symbols.append(symbol)
    return symbols


def _steps(length: int, draw: np.random.Generator) -> int:
    """From the length to a tenth more."""
    return int(draw.integers(length, length + length // 10 + 1))
