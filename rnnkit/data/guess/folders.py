"""Folders, patterns and braces: files of one form, files of a split, a folder for each label."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rnnkit.data.guess.cells import Column
from rnnkit.data.guess.lines import pair_lines
from rnnkit.data.guess.one_file import READ, head, size_of, take_file
from rnnkit.data.guess.recordings import take_recordings
from rnnkit.data.guess.taken import NotTaken, Option, Taken, counted
from rnnkit.data.guess.texts import text_size, tokenizer
from rnnkit.data.guess.view import View
from rnnkit.data.sources.opening import alternatives, files_of
from rnnkit.errors import InputError
from rnnkit.runtime.disk import user_path

SPLIT_WORDS = {
    "train": "train|training|tra|datatraining",
    "valid": "valid|validation|val|dev|hol|holdout",
    "test": "test|tst|tes|datatest",
}
"""Split -> words that name it in a file's name."""
LEFT_OUT = re.compile(
    r"(?i)(readme|licen[sc]e|copying|changelog|citation)\b.*|.*\.(md|html?|pdf|names|xml|ya?ml)"
)
"""Files beside the data."""
SIDE = re.compile(r"(?P<begin>.+?)\.(?P<name>[A-Za-z]{2,3})(?P<packed>\.gz)?")
"""A file of one side of pairs, as train.de."""
MAX_FILES = 100_000


def take(path: str) -> Taken:
    """What a path is taken for: a file, a folder, a pattern with `*`, or names in braces.

    Raises:
        InputError: there is no such file, or it cannot be read; NotTaken: no form fits.
    """
    sides = alternatives(path)
    if len(sides) > 1:
        return _sides(path, sides, None)
    place = user_path(path)
    if not place.is_dir():
        return _several(path, files_of(path), None)
    files = [file for file in _files(place) if not LEFT_OUT.fullmatch(file.name)]
    recordings = [file for file in files if file.suffix.lower() == ".wav"]
    tables = [file for file in files if file.suffix.lower() in (".csv", ".tsv", ".jsonl")]
    if recordings:
        folders = {file.parent for file in recordings}
        if len(folders) == 1 and place not in folders:
            (place,) = folders
            path = str(Path(path) / place.relative_to(user_path(path)))
        for table in tables:
            taken = _or_none(str(Path(path) / table.relative_to(place)))
            if taken is not None and taken.options[0].data["source"]["kind"] == "audio":
                return taken
        return take_recordings(path, place, recordings)
    if not files:
        raise NotTaken(f"{path}: there is no file in this folder; {READ}")
    here = [file for file in files if file.parent == place]
    if not here:
        return _labelled(path, place, files)
    return _of_folder(path, [str(Path(path) / file.name) for file in here])


def _or_none(path: str) -> Taken | None:
    try:
        return take_file(path, [path], 1, None)
    except InputError:
        return None


def _files(folder: Path) -> list[Path]:
    """Files in a folder and in the folders in it, to a depth of three, without hidden ones."""
    depths = (folder.glob("/".join("*" * depth)) for depth in (1, 2, 3))
    files = [
        file
        for depth in depths
        for file in depth
        if file.is_file() and not any(p.startswith(".") for p in file.relative_to(folder).parts)
    ]
    if len(files) > MAX_FILES:
        raise NotTaken(f"{folder}: holds more than {MAX_FILES:,} files; name a part, with *")
    return sorted(files)


def _of_folder(path: str, files: Sequence[str]) -> Taken:
    """Files of one folder: the files of a split, those of one form, or a single one."""
    if len(files) == 1:
        return take_file(files[0], [files[0]], 1, None)
    splits = _splits(files)
    if splits is not None:
        training, split = splits
        sides = alternatives(training)
        if len(sides) > 1:
            taken = _sides(training, sides, split)
        else:
            taken = take_file(training, [training], 1, split)
        return replace(taken, notes=(*taken.notes, *_left_out(files, (training, *split.values()))))
    endings = Counter(_ending(file) for file in files)
    ending, count = endings.most_common(1)[0]
    if count < len(files):
        names = ", ".join(Path(file).name for file in files[:5])
        raise NotTaken(
            f"{path}: holds files of several kinds ({names}{', …' if len(files) > 5 else ''}); "
            f"name one of them, or some with *, as {Path(path) / f'*{ending}'}"
        )
    return _several(str(Path(path) / f"*{ending}"), files, None)


def _left_out(files: Sequence[str], paths: Sequence[str]) -> Sequence[str]:
    """A note on files that no path of a split names."""
    named = {side for path in paths for _, side in alternatives(str(path))}
    others = [Path(file).name for file in files if file not in named]
    more = ", …" if len(others) > 5 else ""
    return [f"left out: {', '.join(others[:5])}{more}"] if others else []


def _ending(file: str) -> str:
    return "".join(Path(file).suffixes[-2:] if file.endswith(".gz") else Path(file).suffixes[-1:])


def _splits(files: Sequence[str]) -> tuple[str, dict[str, Any]] | None:
    """The training file, or the two of pairs, and the split by files; None: no name says it."""
    parts: dict[str, list[str]] = defaultdict(list)
    for file in files:
        for part, words in SPLIT_WORDS.items():
            if re.search(rf"(?i)(?<![a-z])({words})(?![a-z])|({words})(?=\.)", Path(file).name):
                parts[part].append(file)
                break
    paths = {part: _shortest(names) for part, names in parts.items()}
    if not ("train" in paths and "test" in paths):
        return None
    split: dict[str, Any] = {"kind": "files"}
    if "valid" in paths:
        split["valid"] = paths["valid"]
    return paths["train"], {**split, "test": paths["test"]}


def _shortest(files: Sequence[str]) -> str:
    """The file of the shortest name, or the two of pairs, which differ in their endings alone."""
    begins: dict[str, list[str]] = defaultdict(list)
    for file in files:
        if side := SIDE.fullmatch(file):
            begins[f"{side['begin']}.{{}}{side['packed'] or ''}"].append(side["name"])
    pairs = [path for path, names in begins.items() if len(names) == 2]
    if len(pairs) * 2 == len(files):
        path = min(pairs, key=len)
        return path.format(f"{{{','.join(begins[path])}}}")
    return min(files, key=len)


def _several(path: str, files: Sequence[str], given: Mapping[str, Any] | None) -> Taken:
    """Files of one form, of which the first and the last are looked at."""
    if len(files) == 1:
        return take_file(path, files, 1, given)
    samples = [files[0], files[-1]]
    share = sum(map(size_of, files)) / sum(map(size_of, samples))
    taken = take_file(path, samples, max(1.0, share), given)
    note = f"{len(files):,} files, of which the first and the last were looked at"
    return Taken(taken.path, taken.form, taken.options, (*taken.notes, note))


def _sides(path: str, sides: Sequence[tuple[str, str]], given: Mapping[str, Any] | None) -> Taken:
    """Names in braces: two files whose lines belong together, or a file of texts for each label."""
    files = {name: files_of(side) for name, side in sides}
    rows = [[row for file in names for row in head(file, "utf-8")] for names in files.values()]
    scale = sum(size_of(f) for f in next(iter(files.values()))) / max(1, len("\n".join(rows[0])))
    total = round(len(rows[0]) * max(1.0, scale))
    is_aligned = len(sides) == 2 and len(rows[0]) == len(rows[1]) and "*" not in path
    if is_aligned:
        option = pair_lines(path, rows[0], rows[1], total, given)
        return Taken(path, "two files whose lines belong together", (option,))
    return _labels(path, [name for name, _ in sides], rows, given)


def _labelled(path: str, place: Path, files: Sequence[Path]) -> Taken:
    """A folder of texts for each label, perhaps below a folder for each split."""
    folders = sorted({file.parent.relative_to(place).as_posix() for file in files})
    depths = {folder.count("/") for folder in folders}
    endings = {_ending(str(file)) for file in files}
    if len(depths) > 1 or max(depths) > 1 or len(folders) < 2 or len(endings) > 1:
        names = ", ".join(folders[:5])
        raise NotTaken(f"{path}: its files lie in {names}; name one of these folders")
    if depths == {0}:
        pattern = f"{Path(path)}/{{{','.join(folders)}}}/*"
        return _sides(pattern, alternatives(pattern), None)
    by_split: dict[str, list[str]] = defaultdict(list)
    for folder in folders:
        split, _, label = folder.partition("/")
        by_split[split].append(label)
    patterns = [
        f"{Path(path)}/{split}/{{{','.join(names)}}}/*" for split, names in by_split.items()
    ]
    named = _splits([f"{Path(path)}/{split}" for split in by_split])
    if named is None:
        raise NotTaken(f"{path}: its files lie in {', '.join(folders[:5])}; name one of these")
    training, given_split = named
    of = {f"{Path(path)}/{name}": p for name, p in zip(by_split, patterns, strict=True)}
    given = {key: of.get(value, value) for key, value in given_split.items()}
    return _sides(of[training], alternatives(of[training]), given)


def _labels(
    path: str, labels: Sequence[str], rows: Sequence[Sequence[str]], given: Mapping[str, Any] | None
) -> Taken:
    texts = Column("text", [row for side in rows for row in side if row.strip()])
    total = len(texts.cells)
    tokens = tokenizer(texts, total)
    source = {"kind": "labelled_text", "path": path, "format": "label_files"}
    split = View(path, {}, {}, (texts,), total, given).split()
    size = text_size(total, tokens)
    data = {"source": source, **split, "tokenizer": tokens}
    characters = {"bleu_tokenizer": "char"} if tokens["kind"] == "characters" else {}
    about = counted(total, "text")
    options = (
        Option(
            {"kind": "classification"},
            data,
            size,
            f"{about} with one of {len(labels)} labels each",
        ),
        Option(
            {"kind": "captioning", **characters},
            data,
            size,
            f"{about} of {len(labels)} categories, from which they are generated",
        ),
    )
    return Taken(path, "a file, or a folder of files, of texts for each label", options)
