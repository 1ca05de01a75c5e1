"""The tables of sources, and the content of every built-in source."""

import subprocess
import sys
from collections import Counter, defaultdict
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from source_files import read

from rnnkit.data import sources
from rnnkit.data.sources import builtin, standard_library
from rnnkit.data.sources.table import FILLED
from rnnkit.errors import InputError
from rnnkit.params import source as params
from rnnkit.params.data import Column, Files
from rnnkit.params.source import BUILTINS, Builtin

COLUMNS = {
    "labelled_text": {"text", "label"},
    "tagged": {"tokens", "tags", "group"},
    "text": {"text"},
    "series": {"time"},
    "frames": {"frames", "label"},
    "pairs": {"source", "target"},
    "vectors": {"vector", "target"},
    "audio": {"samples", "text", "name"},
}


def test_the_tables_have_a_row_for_every_kind_of_the_params() -> None:
    kinds = get_args(get_args(params.Source)[0])
    assert set(sources.SOURCES) == {kind.model_fields["kind"].default for kind in kinds}
    assert set(builtin.BUILTINS) == set(BUILTINS)


@pytest.mark.parametrize("name", BUILTINS)
def test_a_builtin_gives_the_columns_of_its_form(name: str) -> None:
    source = Builtin(name=name)  # type: ignore[arg-type]
    frame = read(source)
    assert COLUMNS[source.form] <= set(frame.columns)
    assert len(frame) > 50
    assert not frame.isna().any().any()
    assert name in sources.describe(source)


@pytest.mark.parametrize("name", BUILTINS)
def test_a_builtin_has_no_files_and_no_column_of_parts(name: str) -> None:
    source = Builtin(name=name)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=rf"{name}: built-in data are no files"):
        sources.fingerprint(source, Files(test="x"))
    with pytest.raises(InputError, match=rf"{name}: built-in data have no column 'split'"):
        sources.read(source, Column())


def test_fingerprints_are_of_64_digits_all_different_and_import_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from rnnkit.params.data import Fractions\n"
        "from rnnkit.params.source import BUILTINS, Builtin\n"
        "from rnnkit.data import sources\n"
        "for name in BUILTINS: print(sources.fingerprint(Builtin(name=name), Fractions()))\n"
        "heavy = {'torch', 'pandas', 'numpy', 'statsmodels', 'sklearn'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = done.stdout.split()
    assert len(set(found)) == len(BUILTINS)
    assert {len(one) for one in found} == {64}


def test_python_tokens_is_whole_files_in_items_of_200_with_a_class_for_each_character() -> None:
    frame = read(Builtin(name="python_tokens"))
    lengths = frame["tokens"].map(len)
    assert (lengths == frame["tags"].map(len)).all()
    assert lengths.max() == 200
    assert 1_000_000 <= lengths.sum() < 1_300_000
    by_character: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for tokens, tags in zip(frame["tokens"], frame["tags"], strict=True):
        for character, tag in zip(tokens, tags, strict=True):
            by_character[character][tag] += 1
    best = sum(max(tags.values()) for tags in by_character.values())
    # 56 % on 3.11; other versions of Python have somewhat other modules.
    assert 0.50 < best / lengths.sum() < 0.62


def test_python_tokens_classes() -> None:
    text = "class A:  # note\n  def f(self): return len('x') + 1\n"
    spans = {"class": "keyword", "A": "definition", "# note": "comment", "f(": "definition"}
    spans |= {"self": "name", "len": "builtin", "'x'": "string", "1": "number", "+": "operator"}
    tags = standard_library.classes(text)
    assert len(tags) == len(text)
    for span, expected in spans.items():
        assert tags[text.index(span)] == expected, span
        if len(span) > 2:
            assert set(tags[text.index(span) : text.index(span) + len(span)]) == {expected}


@pytest.mark.parametrize("string", ["f\"a {b + f'{c}'} d\"", "f'''x{y}\nz'''", '"ä" f"{q!r:>{w}}"'])
def test_all_of_an_fstring_is_string_in_every_python(string: str) -> None:
    tags = standard_library.classes(f"é = {string}\nx")
    inside = tags[4 : 4 + len(string)]
    gap = {"string", "space"} if string.startswith('"') else {"string"}
    assert set(inside) <= gap
    assert tags[0] == tags[-1] == "name"


def test_python_docstrings_has_20_modules_no_text_twice_and_a_modest_majority() -> None:
    frame = read(Builtin(name="python_docstrings"))
    assert set(frame["label"]) == set(standard_library.MODULES)
    assert len(standard_library.MODULES) == 20
    assert not frame["text"].duplicated().any()
    assert 2_500 < len(frame) < 4_500
    assert frame["label"].value_counts(normalize=True).max() < 0.15


def test_python_docs_is_english_of_about_half_a_megabyte() -> None:
    frame = read(Builtin(name="python_docs"))
    assert 350_000 < frame["text"].map(len).sum() < 700_000
    assert frame["text"].str.contains("statement").any()


def test_sunspots_and_co2_are_sorted_and_whole() -> None:
    sunspots, co2 = read(Builtin(name="sunspots")), read(Builtin(name="co2"))
    assert len(sunspots) == 309
    assert sunspots["time"].iloc[0] == pd.Timestamp("1700-01-01")
    assert len(co2) == 2284
    assert co2.attrs["notes"] == ["59 missing values were interpolated linearly in time"]
    filled = co2[FILLED + "co2"]
    assert filled.sum() == 59
    assert filled[co2["time"] == "1964-03-07"].item()
    for frame in (sunspots, co2):
        assert frame["time"].is_monotonic_increasing
        assert np.isfinite(frame.iloc[:, 1].to_numpy()).all()


def test_digits_are_those_of_scikit_learn() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    images, labels = datasets.load_digits(return_X_y=True)
    frame = read(Builtin(name="digits"))
    assert np.array_equal(np.stack(frame["frames"].tolist()), images.reshape(-1, 8, 8) / 16)
    assert frame["label"].tolist() == [str(label) for label in labels]
