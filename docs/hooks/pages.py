"""What the site takes from the code when it is built: the API pages and the drawing of the rooms.

There is an API page for each package of the library, with the docstrings of its modules, so that a
module that is added or moved is on the site without a second list of modules.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

from docs.hooks import rooms

HOUSE = Path(__file__).parents[2]
MORE = ("flows.notebook",)
"""Modules outside the library that are called from Python, too."""
API = "API"
"""The title of the navigation's section that gets the pages."""


def packages() -> Iterator[tuple[str, list[str]]]:
    """Each package of the library, in the order in which rooms may import each other, and its
    modules."""
    tops = [room for room in rooms.read_rows(HOUSE) if room.startswith("rnnkit.")]
    for top in ("rnnkit", *tops):
        place = HOUSE / Path(*top.split("."))
        if not place.is_dir():
            continue
        inside = [place] if top == "rnnkit" else [place, *sorted(place.glob("**/"))]
        for folder in dict.fromkeys(inside):
            if not (folder / "__init__.py").exists():
                continue
            name = ".".join(folder.relative_to(HOUSE).parts)
            modules = [f"{name}.{file.stem}" for file in sorted(folder.glob("[!_]*.py"))]
            described = [module for module in modules if has_text(module)]
            if described or has_text(name):  # else it is an older name of a module
                yield name, described
    for module in MORE:
        yield module, []


def page(name: str, modules: list[str]) -> str:
    """The Markdown of an API page: mkdocstrings fills in the docstrings.

    A package shows what it defines itself: what it imports is shown with the module it comes from.
    Of params every key is shown, those that need no sentence too.
    """
    own = defined(syntax(name)) or "false"
    keys = f"show_if_no_docstring: {str(name == 'rnnkit.params').lower()}"
    parts = [f"# `{name}`\n\n::: {name}\n    options: {{heading_level: 2, members: {own}}}"]
    parts += [f"## `{each}`\n\n::: {each}\n    options: {{{keys}}}" for each in modules]
    return "\n\n".join(parts) + "\n"


def syntax(module: str) -> ast.Module:
    """A module's syntax tree, without importing it."""
    file = HOUSE / Path(*module.split("."))
    file = file / "__init__.py" if file.is_dir() else file.with_suffix(".py")
    return ast.parse(file.read_text(encoding="utf-8"))


def defined(tree: ast.Module) -> list[str]:
    """The public names of the functions, classes and tables that stand at the top of a module."""
    names = list[str]()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names += [target.id for target in targets if isinstance(target, ast.Name)]
    return [name for name in names if not name.startswith("_")]


def has_text(module: str) -> bool:
    """Whether a module defines anything, and says what it is."""
    tree = syntax(module)
    return ast.get_docstring(tree) is not None and bool(defined(tree))


def on_config(config: Any) -> Any:
    """Puts the pages into the navigation."""
    for section in config.nav:
        if API in section:
            section[API] = [
                *section[API],
                *({name: f"api/{name}.md"} for name, _ in packages()),
            ]
    return config


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages."""
    for name, modules in packages():
        path = f"api/{name}.md"
        files.append(File.generated(config, path, content=page(name, modules)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Draws the rooms where a page asks for them."""
    if "<!-- rooms" not in markdown:
        return markdown
    rows = rooms.read_rows(HOUSE)
    drawings = {
        "<!-- rooms: rnnkit -->": rooms.layers(rows, "rnnkit"),
        "<!-- rooms: flows -->": rooms.layers(rows, "flows"),
        "<!-- rooms: matrix -->": rooms.matrix(rows),
    }
    for mark, drawing in drawings.items():
        markdown = markdown.replace(mark, drawing)
    return markdown
