"""The .ts format: sktime's header and comments, declared labels, numbers and sizes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from source_files import read, write

from rnnkit.data import sources
from rnnkit.errors import InputError
from rnnkit.params.data import Column, Data, Files
from rnnkit.params.source import TS
from rnnkit.params.task import Classification, Regression, Vector
from rnnkit.tasks import prepare


def test_ts_is_a_case_a_line(tmp_path: Path) -> None:
    content = "#note\n@problemName P\n@classLabel true A B\n@data\n1,2,3:4,5,6:A\n\n7:8:B\n"
    frame = read(TS(path=write(tmp_path, "a.ts", content)))
    assert [item.tolist() for item in frame["frames"]] == [[[1, 4], [2, 5], [3, 6]], [[7, 8]]]
    assert frame["label"].tolist() == ["A", "B"]
    assert frame.attrs["columns"] == ("channel 1", "channel 2")


SKTIME = """%# The weather is nice today.
%# by hand
@problemName UnitTest
@timeStamps false
@missing false
@univariate true
@equalLength true
@seriesLength 3
@classLabel true 1 2
@data
# a comment
0.5,-1,2e-3:1
% another
1,2,3 : 2
"""


def test_the_header_and_comments_of_sktimes_files(tmp_path: Path) -> None:
    frame = read(TS(path=write(tmp_path, "UnitTest_TRAIN.ts", SKTIME)))
    assert [item.tolist() for item in frame["frames"]] == [[[0.5], [-1], [0.002]], [[1], [2], [3]]]
    assert frame["label"].tolist() == ["1", "2"]
    assert "numbers" not in frame.attrs


def test_lengths_that_are_not_declared_equal_may_differ(tmp_path: Path) -> None:
    content = "@univariate false\n@dimensions 2\n@equalLength false\n@seriesLength 9\n@data\n"
    path = write(tmp_path, "a.ts", f"{content}1,2:3,4:A\n5:6:B\n")
    assert [item.shape for item in read(TS(path=path))["frames"]] == [(2, 2), (1, 2)]


def test_numbers_are_no_labels(tmp_path: Path) -> None:
    numbers = "@targetLabel true\n@data\n" + "".join(f"{k}:{k % 2}\n" for k in range(60))
    classes = numbers.replace("@targetLabel true", "@classLabel true 0 1")
    of_numbers, of_classes = (
        write(tmp_path, name, content)
        for name, content in (("numbers.ts", numbers), ("classes.ts", classes))
    )
    data = Data(source=TS(path=of_numbers))
    message = r"numbers\.ts, line 1: @targetlabel true says .* write task: \{kind: regression\}"
    for task in (Classification(), Vector()):
        with pytest.raises(InputError, match=message):
            prepare(data, task, tmp_path)
    both = Data(source=TS(path=of_classes), split=Files(test=of_numbers))
    with pytest.raises(InputError, match=message):  # of the test file
        prepare(both, Classification(), tmp_path)
    fitted = prepare(Data(source=TS(path=of_classes)), Classification(), tmp_path).fitted
    frame = read(TS(path=of_numbers))
    with pytest.raises(InputError, match=message):  # in rnnkit evaluate
        fitted.encode(frame, np.arange(len(frame)), "test")
    assert prepare(data, Regression(), tmp_path).splits["train"].targets.dtype.is_floating_point


def test_the_format_has_no_column_of_splits(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no column 'split'; use `split: {kind: fractions}`"):
        sources.read(TS(path=write(tmp_path, "a", "x")), Column())


BAD = {
    "undeclared label": (
        "@classLabel true walk run\n@data\n1: walk \n1:wal\n",
        r"line 4: the label 'wal' is not one of @classLabel \(walk, run\) \(did you mean walk\?\)",
    ),
    "no label to predict": ("@targetLabel false\n@data\n", r"line 1: every case needs a la"),
    "no target": (
        "@targetlabel true\n@data\n1:0.5\n1:?\n",
        r"line 4: with @targetlabel true every case ends with a finite number, but it is '\?'",
    ),
    "endless target": ("@targetlabel true\n@data\n1:inf\n", r"line 3: with @targetlabel"),
    "dimensions": (
        "@dimensions 3\n@data\n1:2:A\n",
        r"line 3: every case must have as many channels as @dimensions says \(3\), but it has 2",
    ),
    "dimension of Monash": ("@dimension 1\n@data\n1:2:A\n", r"as @dimension says \(1\)"),
    "no dimensions": ("@dimensions many\n@data\n1:A\n", r"line 1: a whole number above 0"),
    "univariate": (
        "@univariate true\n@data\n1:2:A\n",
        r"line 3: .* channels as @univariate true says \(1\), but it has 2; .* or the header",
    ),
    "series length": (
        "@equalLength true\n@seriesLength 2\n@data\n1,2:A\n1,2,3:A\n",
        r"line 5: with @equalLength true .* steps as @seriesLength says \(2\), but it has 3",
    ),
    "equal lengths": (
        "@equalLength true\n@data\n1,2:A\n1:A\n",
        r"line 4: with @equalLength true .* as many steps as the first \(2\), but it has 1",
    ),
    "stamps": ("@timeStamps true\n@data\n", r"line 1: cases with time stamps are not read; write"),
    "no class": ("@classLabel false\n@data\n", r"line 1: every case needs a label, but the file"),
    "no header": ("1,2:A\n", r"line 1: before @data there are lines of `@name value`, but"),
    "no case": ("@data\n", r"there is no case behind a line @data; is it a \.ts file"),
    "no label in a case": (
        "@data\n1,2\n",
        r"line 2: a case is `numbers:…:label`, but it i",
    ),
    "a gap": ("@data\n1,?:A\n", r"line 2: channels must hold numbers with commas between"),
    "not finite": ("@data\n1,nan:A\n", r"line 2: every value must be a finite number"),
    "unequal": (
        "@data\n1,2:3:A\n",
        r"line 2: the channels .* equally long, .* 2, 1 values",
    ),
    "another width": (
        "@data\n1:A\n1:2:A\n",
        r"line 3: .* channels as the first \(1\), but",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_gets_one_line(case: str, tmp_path: Path) -> None:
    content, message = BAD[case]
    path = write(tmp_path, "a.ts", content)
    with pytest.raises(InputError, match=message) as raised:
        read(TS(path=path))
    assert "\n" not in str(raised.value)
    assert path in str(raised.value)


def test_basic_motions(public_data: Callable[[str], Path]) -> None:
    frame = read(TS(path=str(public_data("sensor_basic_motions") / "BasicMotions_TEST.ts")))
    assert {item.shape for item in frame["frames"]} == {(100, 6)}
    assert frame["label"].value_counts().tolist() == [10] * 4
    assert np.isfinite(np.concatenate(frame["frames"].tolist())).all()
