"""Tokens and tags in columns: CoNLL and CoNLL-U."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rnnkit.data.sources import read
from rnnkit.errors import InputError
from rnnkit.params.data import Column, Data, Files, Fractions
from rnnkit.params.source import Conll, Conllu
from rnnkit.params.task import Tagging
from rnnkit.tasks import prepare

SENTENCES = [(["EU", "#", "1"], ["B-ORG", "O", "O"]), (["Bye"], ["O"])]


def sentences(source: Conll | Conllu) -> list[tuple[list[str], list[str]]]:
    frame = read(source, Fractions())
    return list(zip(frame["tokens"], frame["tags"], strict=True))


def conll(folder: Path, text: str, **more: Any) -> Conll:
    (folder / "a.conll").write_text(text, encoding="utf-8")
    return Conll.model_validate({"path": str(folder / "a.conll"), **more})


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("EU B-ORG\n# O\n1 O\n\nBye O\n", {}),
        ("EU\tB-ORG\n# \tO\n1   O\n \t \n\n\nBye O", {}),
        ("-DOCSTART- O\n\nEU B-ORG\n# O\n1 O\n\n-DOCSTART- O\n\nBye O\n", {}),
        ("x EU y B-ORG\nx # y O\nx 1 y O\n\nx Bye y O\n", {"token": 2, "tag": 4}),
        ("% a\nEU B-ORG\n# O\n% b\n1 O\n\nBye O\n", {"comment": "%"}),
        ("en:EU\tB-ORG\nen:#\tO\nen:1\tO\n\nen:Bye\tO\n", {"token_prefix": "en:"}),
        ("EU\tB-ORG\r\n#\tO\r\n1\tO\r\n\r\nBye\tO\r\n", {"separator": "tab"}),
    ],
)
def test_columns_become_sentences(tmp_path: Path, text: str, more: dict[str, Any]) -> None:
    assert sentences(conll(tmp_path, text, **more)) == SENTENCES


CONLL_2003 = """\
-DOCSTART- -X- -X- O

EU NNP B-NP B-ORG
rejects VBZ B-VP O

Peter NNP B-NP B-PER
Blackburn NNP I-NP I-PER

-DOCSTART- -X- -X- O

BRUSSELS NNP B-NP B-LOC
"""
CONLL_2012 = """\
#begin document (bc/x/00/x_0000); part 000
bc/x/00/x_0000 0 0 What WP (TOP(SBARQ(WHNP*) - - - Speaker#1 * -
bc/x/00/x_0000 0 1 ? . *)) - - - Speaker#1 * -

bc/x/00/x_0000 0 0 We PRP (TOP(S(NP*) - - - Speaker#1 * (ARG0*) * (16)
bc/x/00/x_0000 0 1 want VBP (VP* want 01 1 Speaker#1 * (V*) * -
bc/x/00/x_0000 0 2 rain NN (NP*)))) - - - Speaker#1 * (ARG1*) (V*) -

#end document
"""


def test_conll_2003_with_its_document_marks(tmp_path: Path) -> None:
    assert sentences(conll(tmp_path, CONLL_2003, tag=4)) == [
        (["EU", "rejects"], ["B-ORG", "O"]),
        (["Peter", "Blackburn"], ["B-PER", "I-PER"]),
        (["BRUSSELS"], ["B-LOC"]),
    ]


def test_columns_may_vary_by_sentence_as_in_conll_2012(tmp_path: Path) -> None:
    source = conll(tmp_path, CONLL_2012, token=4, tag=5, comment="#")
    assert sentences(source) == [
        (["What", "?"], ["WP", "."]),
        (["We", "want", "rain"], ["PRP", "VBP", "NN"]),
    ]
    note = (
        "sentences have from 12 (line 2) to 14 columns (line 5); the token is column 4 and the tag "
        "column 5 of all"
    )
    assert read(source, Fractions()).attrs["notes"] == [note]
    (tmp_path / "b.conll").write_text(CONLL_2012)
    split = Files(valid=str(tmp_path / "b.conll"), test=str(tmp_path / "b.conll"))
    (tmp_path / "c.conll").write_text(CONLL_2012.partition("\n\n")[0])
    one = source.model_copy(update={"path": str(tmp_path / "c.conll")})
    notes = read(one, split).attrs["notes"]
    assert notes == [f"{part}: {note}" for part in ("valid", "test")]
    assert "notes" not in read(conll(tmp_path, CONLL_2003, tag=4), Fractions()).attrs


def test_a_file_without_blank_lines_is_one_sentence(tmp_path: Path) -> None:
    source = conll(tmp_path, "".join(f"w{k} {'AB'[k % 2]}\n" for k in range(1_200)))
    message = (
        r"every split needs at least one item, but .*a\.conll is one sentence of 1,200 tokens, "
        r"because no blank line ends one; write a blank line after each sentence$"
    )
    for split in (Fractions(), Files(test=source.path)):
        with pytest.raises(InputError, match=message):
            prepare(Data(source=source, split=split), Tagging(), tmp_path)


def test_a_single_separator_keeps_the_other_inside_a_token(tmp_path: Path) -> None:
    source = conll(tmp_path, "New York\tB-LOC\nis\tO\n", separator="tab")
    assert sentences(source) == [(["New York", "is"], ["B-LOC", "O"])]
    nbsp = conll(tmp_path, "1\u00a0000 B-NUM\n")
    assert sentences(nbsp) == [(["1\u00a0000"], ["B-NUM"])]


@pytest.mark.parametrize(
    ("text", "more", "message"),
    [
        (
            "EU O\nBye\n",
            {},
            r"line 2: every line must have as many columns as the first of its sentence \(2\)",
        ),
        ("EU O\nBye x O\n", {}, r"line 2: every line must have as many columns as the first of"),
        ("EU O\n", {"tag": 3}, r"line 1: every line must have 3 columns, but it has 2: 'EU O'"),
        (
            "EU O\n",
            {"token_prefix": "en:"},
            r"line 1: every token must begin with 'en:', but",
        ),
        ("EU\t\n", {"separator": "tab"}, r"line 1: a token and a tag are needed, but the tag is"),
        ("\tO\n", {"separator": "tab"}, r"line 1: a token and a tag are needed, but the token is"),
        ("\n\n", {}, r"the file holds no token; name another"),
    ],
)
def test_columns_that_do_not_fit_are_refused(
    tmp_path: Path, text: str, more: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        sentences(conll(tmp_path, text, **more))


@pytest.mark.parametrize("kind", ["conll", "conllu"])
def test_a_column_of_parts_is_refused(tmp_path: Path, kind: str) -> None:
    blocks = {"conll": Conll(path="a"), "conllu": Conllu(path="a")}
    with pytest.raises(InputError, match="there is no column 'split'; use `split"):
        read(blocks[kind], Column())


def word(number: str, form: str, upos: str) -> str:
    return f"{number}\t{form}\t_\t{upos}\tX{upos}\t_\t0\troot\t_\t_\n"


TREEBANK = (
    "# sent_id = 1\n"
    + word("1-2", "don't", "_")
    + word("1", "do", "AUX")
    + word("2", "n't", "PART")
    + word("2.1", "go", "VERB")
    + "\n# sent_id = 2\n"
    + word("1", "#", "SYM")
)


@pytest.mark.parametrize(("tag", "prefix"), [("upos", ""), ("xpos", "X")])
def test_multi_word_tokens_and_empty_nodes_are_skipped(
    tmp_path: Path, tag: str, prefix: str
) -> None:
    (tmp_path / "a.conllu.gz").write_bytes(gzip.compress(TREEBANK.encode()))
    source = Conllu.model_validate({"path": str(tmp_path / "a.conllu.gz"), "tag": tag})
    assert sentences(source) == [
        (["do", "n't"], [f"{prefix}AUX", f"{prefix}PART"]),
        (["#"], [f"{prefix}SYM"]),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\tdo\n", "line 1: a word of CoNLL-U has 10 columns with tabs between, but there are 2"),
        (word("x", "do", "AUX"), "line 1: the first column must be a number such as 3, 3-4 or 8.1"),
        (word("1", "do", ""), "line 1: a form and a tag are needed, but the upos is empty"),
        (word("1", "", "AUX"), "line 1: a form and a tag are needed, but the form is empty"),
        ("# nothing\n", "the file holds no token; name another"),
    ],
)
def test_a_treebank_that_does_not_fit_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.conllu").write_text(text)
    with pytest.raises(InputError, match=message):
        sentences(Conllu(path=str(tmp_path / "a.conllu")))


def test_the_english_web_treebank_has_its_published_size(
    public_data: Callable[[str], Path],
) -> None:
    source = Conllu(path=str(public_data("tag_ud_ewt") / "en_ewt-ud-test.conllu"))
    found = sentences(source)
    assert len(found) == 2_077
    assert len({tag for _, tags in found for tag in tags}) == 17


def test_wikiann_tokens_lose_their_language(public_data: Callable[[str], Path]) -> None:
    path = str(public_data("ner_wikiann_en") / "test")
    found = sentences(Conll(path=path, separator="tab", token_prefix="en:"))
    assert len(found) == 10_000
    assert {tag for _, tags in found for tag in tags} == {
        "O",
        "B-PER",
        "I-PER",
        "B-ORG",
        "I-ORG",
        "B-LOC",
        "I-LOC",
    }
