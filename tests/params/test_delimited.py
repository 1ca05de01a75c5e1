"""Keys of CSV and TSV: values that no file can have."""

import pytest
from refused_params import Write, refusal

from rnnkit.params import load

TABLE = """\
name: a
task: {kind: forecasting}
data:
  source:
    kind: table
    path: a.csv
    KEY
  split: {kind: time}
model:
  representation: {kind: raw}
"""


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ('separator: ",,"', "data.source.separator must match pattern"),
        ("separator: x", "data.source.separator must match pattern"),
        ('separator: "\\""', "data.source.separator must match pattern"),
        ('decimal: "1"', "data.source.decimal must match pattern"),
        ('thousands: ""', "data.source.thousands must have at least 1 character"),
        ("skip_rows: -1", "data.source.skip_rows must be greater than or equal to 0"),
        ("time_format: yyyy-mm-dd", "data.source.time_format: must be a format such as %d/%m/%Y"),
        ('time_format: "%d/%Q"', "data.source.time_format: must be a format such as %d/%m/%Y"),
        ("time: []", "data.source.time must be a valid string or must have at least 1 item"),
        ("missing: [null]", "data.source.missing"),
    ],
)
def test_a_layout_that_no_file_has_is_refused(write: Write, key: str, message: str) -> None:
    assert message in refusal(write(TABLE.replace("KEY", key)))


@pytest.mark.parametrize(
    "key",
    [
        'separator: ";"',
        'separator: "\\t"',
        "separator: whitespace",
        'decimal: ","',
        'thousands: " "',
        'missing: ["?", "-", -200, 9.5]',
        "time: [date, clock]",
        "time: 1",
        'time_format: "%d.%m.%Y %H:%M"',
        "columns: [2, 3]",
    ],
)
def test_a_layout_that_a_file_may_have_is_taken(write: Write, key: str) -> None:
    load(write(TABLE.replace("KEY", key)))


def test_columns_without_a_header_are_numbers_wherever_they_are_named(write: Write) -> None:
    text = TABLE.replace("KEY", "header: false\n    time: 1\n    columns: [2, 3, 4]")
    text = text.replace("forecasting}", "forecasting, targets: [2]}")
    text = text.replace("  split", "  covariates: {past: [3], future: [4]}\n  split")
    experiment = load(write(text))
    assert experiment.task.targets == ("2",)  # type: ignore[union-attr]
    assert experiment.data.covariates.past == ("3",)
