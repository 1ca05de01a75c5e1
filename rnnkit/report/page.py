"""Render HTML templates: text is escaped, pictures are embedded."""

import base64
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import jinja2

from rnnkit.errors import escaped


def _visible(value: Any) -> Any:
    """A value of a template; text with its control characters escaped."""
    is_text = isinstance(value, str) and not hasattr(value, "__html__")  # a macro gives HTML
    return escaped(value) if is_text else value


_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    finalize=_visible,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(template: str, **values: Any) -> str:
    """Render a template by name with its values."""
    return _TEMPLATES.get_template(template).render(**values)


def picture(path: Path) -> str:
    """A PNG file as a data URL."""
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()


def figure(value: Any) -> str:
    """Format a number for display; other values are converted with str.

    >>> figure(0.98765), figure(12345), figure(None), figure("a")
    ('0.9877', '12,345', '', 'a')
    """
    if value is None or value != value:
        return ""
    if isinstance(value, bool) or not isinstance(value, Real):
        return str(value)
    return f"{value:,}" if isinstance(value, Integral) else f"{float(value):.4g}"


_TEMPLATES.filters["figure"] = figure
