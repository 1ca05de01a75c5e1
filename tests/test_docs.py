"""The documentation is true and complete: YAML loads, commands exist, no task is left out."""

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
import typer

from docs.hooks import rooms
from flows.cli import app
from rnnkit.data.prepare import data_sha256
from rnnkit.errors import InputError
from rnnkit.params import load
from rnnkit.params.source import BUILTINS, Source
from rnnkit.params.task import Task
from rnnkit.params.tree import read

HOUSE = Path(__file__).parents[1]
PAGES = [HOUSE / "README.md", *sorted((HOUSE / "docs").glob("**/*.md"))]
EXAMPLES = sorted((HOUSE / "params").glob("*.yaml"))
COMING: set[str] = set()
"""Verbs that are described and come with the wheel; none once the command has them."""

BLOCK = re.compile(
    r"(?:<!-- with (\w+) -->\n)?^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
CODE = re.compile(r"`([^`\n]+)`|^ {4}(\S.*)$|^\$ (.*)$", re.MULTILINE)
COMMAND = re.compile(r"(?<![\w./@-])rnnkit ([a-z]+)([^|#\n]*)")


def blocks(page: Path) -> Iterator[tuple[str | None, str, str]]:
    """(params file that the block changes, language, text) of each fenced block."""
    for base, language, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        yield base or None, language, text


YAML = [
    pytest.param(base, text, id=f"{page.relative_to(HOUSE)}-{number}")
    for page in PAGES
    for number, (base, language, text) in enumerate(blocks(page))
    if language == "yaml"
]


@pytest.mark.parametrize(("base", "text"), YAML)
def test_every_yaml_block_is_a_params_file_or_part_of_a_named_one(
    base: str | None, text: str, tmp_path: Path
) -> None:
    """A block is complete, or `<!-- with NAME -->` above it names the example that it changes."""
    file = tmp_path / "block.yaml"
    file.write_text(text, encoding="utf-8")
    if base is None:
        load(file)
        return
    example = HOUSE / "params" / f"{base}.yaml"
    before, changes = read(example).values, read(file).values
    load(example, changes={name: {**before.get(name, {}), **changes[name]} for name in changes})


def options(command: Any) -> set[str]:
    return {name for parameter in command.params for name in parameter.opts} | {"--help"}


def unknown_commands(text: str) -> list[str]:
    """What a page shows of the command and the command does not have."""
    root = typer.main.get_command(app)
    found = []
    for span in CODE.finditer(text):
        for verb, rest in COMMAND.findall(next(filter(None, span.groups()))):
            command: Any = root.commands.get(verb)  # type: ignore[attr-defined]
            if command is None:
                found += [verb] if verb not in COMING else []
                continue
            words = rest.split()
            if hasattr(command, "commands"):
                command = command.commands.get(words[0]) if words else command
                if command is None:
                    found.append(f"{verb} {words[0]}")
                    continue
            given = [word.partition("=")[0] for word in words if word.startswith("--")]
            found += [f"{verb} {option}" for option in given if option not in options(command)]
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(HOUSE)))
def test_commands_shown_exist_with_their_options(page: Path) -> None:
    assert unknown_commands(page.read_text(encoding="utf-8")) == []


def test_a_command_that_is_not_there_is_found() -> None:
    text = "Run `rnnkit fly PARAMS`, or\n\n    rnnkit run a.yaml --fast\n    rnnkit data drop x\n"
    assert unknown_commands(text) == ["fly", "run --fast", "data drop"]


def test_every_verb_is_in_the_table_of_commands() -> None:
    table = (HOUSE / "docs" / "commands.md").read_text(encoding="utf-8")
    root = typer.main.get_command(app)
    for verb in root.commands:  # type: ignore[attr-defined]
        assert f"| `rnnkit {verb}" in table


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(HOUSE)))
def test_params_files_named_exist(page: Path) -> None:
    named = set(re.findall(r"params/([a-z]\w*)\.yaml", page.read_text(encoding="utf-8")))
    assert named <= {file.stem for file in EXAMPLES}


def kinds(union: Any) -> list[str]:
    blocks_of_union = get_args(get_args(union)[0])
    return [block.model_fields["kind"].get_default() for block in blocks_of_union]


@pytest.mark.parametrize("kind", kinds(Task))
def test_every_task_has_its_page(kind: str) -> None:
    name = f"{kind.replace('_', '-')}.md"
    page = (HOUSE / "docs" / "tasks" / name).read_text(encoding="utf-8")
    assert f"kind: {kind}" in page
    assert f"({name})" in (HOUSE / "docs" / "tasks" / "index.md").read_text(encoding="utf-8")
    assert f"tasks/{name}" in (HOUSE / "mkdocs.yml").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_every_example_is_on_the_page_of_tasks(file: Path) -> None:
    assert f"`{file.stem}`" in (HOUSE / "docs" / "tasks" / "index.md").read_text(encoding="utf-8")


def test_every_source_and_built_in_set_is_described() -> None:
    page = (HOUSE / "docs" / "data.md").read_text(encoding="utf-8")
    for kind in kinds(Source):
        assert f"`{kind}`" in page
    for name in BUILTINS:
        assert f"| `{name}` |" in page


def test_the_readme_links_to_what_is_there() -> None:
    text = (HOUSE / "README.md").read_text(encoding="utf-8")
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text)]
    own = [link for link in links if not link.startswith("http")]
    assert own
    assert [link for link in own if not (HOUSE / link).exists()] == []


# The drawing of the rooms


ROWS = {"a.x": set(), "a.y": {"a.x"}, "a.z": {"a.x", "a.y"}, "b.w": {"a.x", "a.z"}}


def reached(edges: Mapping[str, Any], room: str) -> set[str]:
    return {low for near in edges[room] for low in ({near} | reached(edges, near))}


def test_arrows_to_the_nearest_rooms_reach_all_that_may_be_imported() -> None:
    assert rooms.nearest(ROWS) == {"a.x": [], "a.y": ["a.x"], "a.z": ["a.y"], "b.w": ["a.z"]}
    rows = rooms.read_rows(HOUSE)
    near = rooms.nearest(rows)
    assert {room: reached(near, room) for room in rows} == {r: reached(rows, r) for r in rows}


def test_rooms_stand_below_what_they_import() -> None:
    assert rooms.levels(rooms.nearest(ROWS)) == {"a.x": 0, "a.y": 1, "a.z": 2, "b.w": 3}


@pytest.mark.parametrize("package", ["rnnkit", "flows"])
def test_the_drawing_has_every_room_and_no_other_arrow_than_the_table(package: str) -> None:
    rows = rooms.read_rows(HOUSE)
    drawing = rooms.layers(rows, package)
    own = [room for room in rows if room.startswith(f"{package}.")]
    drawn = re.findall(r">(\w+)</text>", drawing)
    assert sorted(drawn) == sorted(room.partition(".")[2] for room in own)
    arrows = [tuple(arrow.split()) for arrow in re.findall(r'data-arrow="([^"]+)"', drawing)]
    assert arrows
    assert [(room, low) for room, low in arrows if low not in rows[room]] == []


def test_the_matrix_has_a_dot_for_every_permission() -> None:
    rows = rooms.read_rows(HOUSE)
    dots = re.findall(r"<title>(\S+) may import (\S+)</title>", rooms.matrix(rows))
    assert sorted(dots) == sorted((room, low) for room in rows for low in rows[room])


def test_a_table_that_is_gone_is_reported(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / rooms.TABLE).write_text("OTHER = 1\n")
    with pytest.raises(ValueError, match="has no table ROWS"):
        rooms.read_rows(tmp_path)


def test_aligned_docstrings_become_code_blocks() -> None:
    pytest.importorskip("griffe")
    from docs.hooks.plain_docstrings import fenced

    text = "One.\n\n>>> 1 + 1\n2\n\na    first\nbc   second\n\nArgs:\n    x: a number."
    assert fenced(text) == (
        "One.\n\n```pycon\n>>> 1 + 1\n2\n```\n\n```text\na    first\nbc   second\n```\n\n"
        "Args:\n    x: a number."
    )


DATA = re.compile(r"^\| `(\w+)` \|.*\| `([0-9a-f]{12})` \|$", re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "digits"), DATA.findall((HOUSE / "docs/results.md").read_text(encoding="utf-8"))
)
def test_results_name_the_data_of_their_params_file(name: str, digits: str) -> None:
    experiment = load(HOUSE / f"params/{name}.yaml")
    if experiment.data.source.kind == "builtin" and sys.version_info[:2] != (3, 11):
        pytest.skip("built-in data are those of Python 3.11")
    try:
        sha256 = data_sha256(experiment.data, experiment.task)
    except InputError as error:
        pytest.skip(str(error))  # a public set that is not on this machine
    assert sha256.startswith(digits)
