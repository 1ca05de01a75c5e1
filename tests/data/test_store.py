"""Prepared data on disk: their hash, hits, damage, and processes that race."""

import multiprocessing
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from prepared_items import TEST, TRAIN, items

from rnnkit.data import sources
from rnnkit.data.prepare import data_sha256
from rnnkit.params import data as params
from rnnkit.params.data import Data, Time
from rnnkit.params.source import Table
from rnnkit.params.task import Classification, Forecasting, Tagging, Task
from rnnkit.tasks import prepare

# On disk
CHANGES: dict[str, Callable[[Data], Data]] = {
    "window": lambda data: data.model_copy(update={"window": 4}),
    "scaling": lambda data: data.model_copy(update={"scaling": "minmax"}),
    "limit": lambda data: data.model_copy(update={"limit": 1}),
    "split": lambda data: data.model_copy(update={"split": Time()}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_hash_follows_the_data_params(table: Data, change: str) -> None:
    assert data_sha256(CHANGES[change](table), Forecasting()) != data_sha256(table, Forecasting())


def test_the_hash_follows_the_bytes_and_the_shaping_task_params_alone(table: Data) -> None:
    before = data_sha256(table, Forecasting())
    assert before == data_sha256(table.model_copy(update={"padding": "pre"}), Forecasting(season=7))
    others: list[Task] = [Forecasting(horizon=2), Forecasting(targets=("up",)), Tagging()]
    assert len({before, *(data_sha256(table, task) for task in others)}) == 4
    assert isinstance(table.source, Table)
    path = Path(table.source.path)
    path.write_text(path.read_text().replace("7", "8"))
    assert data_sha256(table, Forecasting()) != before


def test_the_hash_needs_neither_torch_nor_pandas() -> None:
    program = (
        "import sys\n"
        "from rnnkit.params.data import Data\n"
        "from rnnkit.params.source import Builtin\n"
        "from rnnkit.params.task import Tagging\n"
        "from rnnkit.data.prepare import data_sha256\n"
        "data_sha256(Data(source=Builtin(name='python_tokens')), Tagging())\n"
        "heavy = {'torch', 'pandas', 'numpy', 'tokenizers'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_hit_is_not_built_again(
    labelled: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = prepare(labelled, Classification(), tmp_path)
    monkeypatch.setattr("rnnkit.data.sources.read", None)
    again = prepare(labelled, Classification(), tmp_path)
    assert again.facts == first.facts
    assert items(again.splits[TEST]) == items(first.splits[TEST])
    assert [path.name for path in (tmp_path / "prepared").iterdir()] == [first.sha256]
    with pytest.raises(TypeError, match="params are frozen"):
        again.facts["items"] = 0  # type: ignore[index]


@pytest.mark.parametrize("damage", ["tensors.safetensors", "prepared.json", "manifest.json"])
def test_damaged_data_are_built_again_with_a_warning(
    labelled: Data, tmp_path: Path, damage: str
) -> None:
    first = prepare(labelled, Classification(), tmp_path)
    before = items(first.splits[TRAIN])
    path = tmp_path / "prepared" / first.sha256 / damage
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.unlink()  # the loaded tensors are mapped from the old file
    path.write_bytes(content)
    with pytest.warns(UserWarning, match=r"stored data must be as they were written, but"):
        again = prepare(labelled, Classification(), tmp_path)
    assert items(again.splits[TRAIN]) == before
    assert [path.name for path in (tmp_path / "prepared").iterdir()] == [first.sha256]


def test_a_failure_leaves_nothing_behind(
    labelled: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rnnkit.data.prepare.store.write_json", full)
    with pytest.raises(OSError, match="No space left"):
        prepare(labelled, Classification(), tmp_path)
    assert list((tmp_path / "prepared").iterdir()) == []


def test_processes_may_race(labelled: Data, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=prepare, args=(labelled, Classification(), tmp_path))
        for _ in range(2)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert len(list((tmp_path / "prepared").iterdir())) == 1


def test_the_second_of_two_takes_what_the_first_has_made(
    labelled: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "prepared" / data_sha256(labelled, Classification())
    read = sources.read

    def overtaken(source: params.Source, split: params.Split) -> object:
        frame = read(source, split)
        monkeypatch.setattr("rnnkit.data.sources.read", read)
        prepare(labelled, Classification(), tmp_path)
        return frame

    monkeypatch.setattr("rnnkit.data.sources.read", overtaken)
    prepared = prepare(labelled, Classification(), tmp_path)
    assert len(prepared.splits[TRAIN]) == 2
    assert [path.name for path in place.parent.iterdir()] == [place.name]
