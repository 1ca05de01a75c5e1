"""Draws who may import whom, from the ROWS table in tests/test_architecture.py.

`layers` draws arrows to the nearest rooms, `matrix` every permission. The table is read with `ast`,
so the site can be built without the packages that the tests need.
"""

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path

TABLE = Path("tests") / "test_architecture.py"
ROOTS = ("rnnkit", "flows")
"""The two packages themselves: they hold rooms and are none."""

Rows = Mapping[str, set[str]]
Edges = Mapping[str, Sequence[str]]

BOX_WIDTH, BOX_HEIGHT, GAP, LEVEL_HEIGHT, LANE = 112, 30, 24, 66, 16  # pixels
CELL, LABEL, HEAD = 20, 150, 118  # pixels: a square, the names beside it, the names above it


def read_rows(house: Path) -> dict[str, set[str]]:
    """Room -> the rooms it may import, in the table's order, without the two packages.

    Raises:
        ValueError: the table is not there.
    """
    for node in ast.parse((house / TABLE).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "ROWS":
            assert node.value is not None
            rows: dict[str, set[str]] = ast.literal_eval(node.value)
            return {room: rows[room] - {*ROOTS} for room in rows if room not in ROOTS}
    raise ValueError(f"{TABLE} has no table ROWS")


def nearest(rows: Rows) -> dict[str, list[str]]:
    """Each room's permissions without those that another of its permissions has, too."""
    below: dict[str, set[str]] = {}
    for room in rows:  # a room stands below those it may import
        below[room] = set().union(*({low, *below[low]} for low in rows[room]))
    return {
        room: [
            low
            for low in rows
            if low in allowed and not any(low in below[other] for other in allowed)
        ]
        for room, allowed in rows.items()
    }


def levels(edges: Edges) -> dict[str, int]:
    """How many arrows lie at the most between a room and one that imports nothing."""
    found: dict[str, int] = {}
    for room, lows in edges.items():
        found[room] = 1 + max((found[low] for low in lows), default=-1)
    return found


def placed(edges: Edges) -> list[list[str]]:
    """Rooms by level, those of each level from left to right: under what they import."""
    depth = levels(edges)
    rows: list[list[str]] = [[] for _ in range(1 + max(depth.values()))]
    for room, level in depth.items():
        rows[level].append(room)
    at: dict[str, float] = {}
    for row in rows:
        above = {room: [at[low] for low in edges[room]] for room in row}
        row.sort(key=lambda room, above=above: sum(above[room]) / max(1, len(above[room])))
        at |= {room: float(i) for i, room in enumerate(row)}
    return rows


def layers(rows: Rows, package: str) -> str:
    """The rooms of a package as boxes, each with arrows to the nearest rooms that it imports.

    An arrow over several levels runs in a lane to the right of all boxes that it passes.
    """
    inside = {
        room: {low for low in lows if low.startswith(f"{package}.")}
        for room, lows in rows.items()
        if room.startswith(f"{package}.")
    }
    edges = nearest(inside)
    depth, boxes = levels(edges), placed(edges)
    at = {
        room: (GAP + BOX_WIDTH / 2 + i * (BOX_WIDTH + GAP), (level + 0.5) * LEVEL_HEIGHT)
        for level, row in enumerate(boxes)
        for i, room in enumerate(row)
    }
    lane, width = 0, GAP + max(map(len, boxes)) * (BOX_WIDTH + GAP)
    parts = []
    for room, lows in edges.items():
        for low in lows:
            way = [at[room]]
            passed = range(depth[low] + 1, depth[room])
            if passed:
                right = GAP + max(len(boxes[level]) for level in passed) * (BOX_WIDTH + GAP)
                x, lane = right + LANE * lane, lane + 1
                width = max(width, x + GAP)
                way += [(x, (level + 0.5) * LEVEL_HEIGHT) for level in reversed(passed)]
            way.append(at[low])
            parts.append(
                f'<path class="arrow" data-arrow="{room} {low}" '
                f'marker-end="url(#head-{package})" d="{_curve(way)}"/>'
            )
    for room, (x, y) in at.items():
        parts.append(
            f'<g class="room"><rect x="{x - BOX_WIDTH / 2:.0f}" y="{y - BOX_HEIGHT / 2:.0f}" '
            f'width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="4"/>'
            f'<text x="{x:.0f}" y="{y + 4:.0f}">{room.removeprefix(package + ".")}</text></g>'
        )
    marker = (
        f'<defs><marker id="head-{package}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path class="head" d="M0,0 L8,4 L0,8 z"/></marker></defs>'
    )
    title = f"The rooms of {package} and what they import"
    return _svg(width, len(boxes) * LEVEL_HEIGHT, marker + "".join(parts), title)


def _curve(way: Sequence[tuple[float, float]]) -> str:
    """The path of an arrow upwards, from the top of a box to the bottom of another."""
    (x, y), half = way[0], BOX_HEIGHT / 2
    line = f"M{x:.0f},{y - half:.0f}"
    for i, (x2, y2) in enumerate(way[1:], start=1):
        last = i == len(way) - 1
        begin, end = y - half, y2 + half + (4 if last else 0)
        middle = (begin + end) / 2
        line += f" C{x:.0f},{middle:.0f} {x2:.0f},{middle:.0f} {x2:.0f},{end:.0f}"
        line += "" if last else f" L{x2:.0f},{y2 - half:.0f}"
        x, y = x2, y2
    return line


def matrix(rows: Rows) -> str:
    """A row for each room and a column for each room that is imported; a dot is a permission."""
    columns = [room for room in rows if any(room in lows for lows in rows.values())]
    width = LABEL + CELL * len(columns) + 90
    height = HEAD + CELL * len(rows) + 4
    parts = []
    for i, room in enumerate(rows):
        y = HEAD + CELL * i
        if i % 2 == 0:
            parts.append(f'<rect class="band" x="0" y="{y}" width="{width - 90}" height="{CELL}"/>')
        parts.append(f'<text class="label" x="{LABEL - 8}" y="{y + 14}">{room}</text>')
        for j, low in enumerate(columns):
            x = LABEL + CELL * j + CELL / 2
            if low in rows[room]:
                parts.append(
                    f'<circle cx="{x:.0f}" cy="{y + CELL / 2:.0f}" r="5">'
                    f"<title>{room} may import {low}</title></circle>"
                )
            elif low == room:
                parts.append(f'<text class="self" x="{x:.0f}" y="{y + 14}">·</text>')
    for j, low in enumerate(columns):
        x = LABEL + CELL * j + CELL / 2 + 3
        parts.append(
            f'<text class="column" transform="translate({x:.0f},{HEAD - 8}) rotate(-55)">'
            f"{low}</text>"
        )
    return _svg(width, height, "".join(parts), "Which room may import which")


def _svg(width: float, height: float, body: str, title: str) -> str:
    return (
        f'<div class="rooms"><svg viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" role="img" aria-label="{title}" '
        f'xmlns="http://www.w3.org/2000/svg">{body}</svg></div>'
    )
