"""The table at a run's end, in terminals of several widths."""

import pytest

from flows.console import output
from flows.console.result import comparison

METRICS = ("mae", "rmse", "mase", "scaled_mse", "scaled_mae", "coverage", "interval_width")
SCORES = {name: 0.1234 + number for number, name in enumerate(METRICS)}
RESULT = {
    "network": "GRU, 2 layers of 128",
    "test": SCORES,
    "baselines": {"last value": SCORES, "seasonal naive": SCORES, "training mean": SCORES},
}


def lines(monkeypatch: pytest.MonkeyPatch, shown: int, width: int) -> list[str]:
    monkeypatch.setattr(output.out, "_width", width)
    with output.out.capture() as capture:
        output.out.print(comparison("a run", {**RESULT, "shown": METRICS[:shown]}))
    return capture.get().splitlines()


@pytest.mark.parametrize(("shown", "width"), [(3, 80), (7, 200)])
def test_few_metrics_are_columns(monkeypatch: pytest.MonkeyPatch, shown: int, width: int) -> None:
    table = lines(monkeypatch, shown, width)
    header = table[2].strip("┃ ").split("┃")
    assert [name.strip() for name in header] == [*METRICS[:shown]]
    assert table[4].startswith("│ GRU, 2 layers of 128 ")


def test_metrics_that_do_not_fit_are_rows_without_a_cut_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = lines(monkeypatch, 7, 80)
    names = [line.strip("│ ").split()[0] for line in table if line.startswith("│")]
    assert names == [*METRICS]
    assert max(map(len, table)) <= 80
    assert "…" not in "".join(table)
    assert sum(line.count("6.123") for line in table) == 4
