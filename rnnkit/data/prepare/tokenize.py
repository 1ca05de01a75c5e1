"""Hugging Face tokenizers, fitted on the training split.

Ids: 0 padding, 1 unknown, 2 end (if used), then tokens by descending frequency. Padding and end are
not in the tokenizer's model, so text never encodes to them. A word `<unk>` in the text is the
unknown token (as in the Penn Treebank).
"""

from __future__ import annotations

import json
import re
import sys
import threading
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
import tokenizers
from tokenizers import Regex, decoders, models, normalizers, pre_tokenizers, trainers

from rnnkit.data.prepare.ids import END_TOKEN, PADDING_TOKEN, UNKNOWN, UNKNOWN_TOKEN
from rnnkit.data.prepare.text_pieces import ANYWHERE, BEFORE_ASCII, BEFORE_WORD, text_pieces
from rnnkit.params.data import BPE, Characters, Normalization, Tokenizer
from rnnkit.runtime.scratch import ScratchArray

RESERVED = (PADDING_TOKEN, UNKNOWN_TOKEN, END_TOKEN)
WHITESPACE = pre_tokenizers.WhitespaceSplit()
SEPARATORS: Mapping[str, pre_tokenizers.PreTokenizer] = {
    # WhitespaceSplit breaks at U+00A0, which may be part of a word in tokenized text.
    "spaces": pre_tokenizers.CharDelimiterSplit(" "),
    "whitespace": WHITESPACE,
    "punctuation": pre_tokenizers.Sequence([WHITESPACE, pre_tokenizers.Punctuation("isolated")]),
}
"""By `Words.split`."""
FORMS: Mapping[Normalization, Callable[[], normalizers.Normalizer]] = {
    "NFC": normalizers.NFC,
    "NFD": normalizers.NFD,
    "NFKC": normalizers.NFKC,
    "NFKD": normalizers.NFKD,
}
MAX_MERGED_WORD = 1_000
"""Characters of the longest word that byte pairs are learned from: the time to learn grows with its
square."""


@dataclass(frozen=True, eq=False)
class FittedTokenizer:
    """A tokenizer with its vocabulary.

    Args:
        model: Hugging Face tokenizer; never returns the ids of padding and end.
        vocabulary: the token of each id.
    """

    model: tokenizers.Tokenizer
    vocabulary: tuple[str, ...]

    @cached_property
    def _ids(self) -> Mapping[str, int]:
        """Token -> id. The model makes a new dictionary at each call."""
        ids: dict[str, int] = self.model.get_vocab()
        return ids

    @property
    def of_characters(self) -> bool:
        """Whether tokens are characters."""
        return isinstance(self.model.decoder, decoders.Fuse)

    @property
    def of_words(self) -> bool:
        """Whether tokens are words."""
        return self.model.decoder is None

    @property
    def separator(self) -> str:
        """Separator of the tokens of a text."""
        return " " if self.of_words else ""

    def encode(self, texts: Iterable[str]) -> tuple[np.ndarray, np.ndarray]:
        """Concatenated ids of all texts [tokens], and the number per text [texts]."""
        flat, ends, begin = ScratchArray(np.int64), ScratchArray(np.int64), 0
        for ids, text_ends in self.encode_pieces(texts):
            flat.append(ids)
            ends.append(text_ends + begin)
            begin += len(ids)
        return flat.array(), np.diff(ends.array(), prepend=0)

    def encode_pieces(self, texts: Iterable[str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """(ids [tokens], their numbers up to the end of each text that ends among them) of texts,
        some at a time."""
        for piece in text_pieces(texts, self._cuts):
            if self.of_characters:
                ids, lengths = self._character_ids(piece.texts)
            else:
                encodings = self.model.encode_batch_fast(piece.texts)
                ids, lengths = _flat([encoding.ids for encoding in encodings])
            yield ids, np.cumsum(lengths[:-1] if piece.is_part else lengths)

    @property
    def _cuts(self) -> re.Pattern[str]:
        """Where a long text may be cut."""
        if not self.of_characters:
            return BEFORE_WORD
        return ANYWHERE if self.model.normalizer is None else BEFORE_ASCII

    def _character_ids(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """As the model's own ids, in a fiftieth of its time and memory."""
        normalizer = self.model.normalizer
        if normalizer is not None:
            texts = [normalizer.normalize_str(text) for text in texts]
        points, table = code_points(texts), self._character_table
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        return table[np.minimum(points, len(table) - 1)], lengths

    @cached_property
    def _character_table(self) -> np.ndarray:
        """[code points + 1] the id of each code point, and the unknown id for those beyond."""
        points = {ord(token): id for token, id in self.model.get_vocab().items() if len(token) == 1}
        table = np.full(max(points, default=0) + 2, UNKNOWN, np.int64)
        table[list(points)] = list(points.values())
        return table

    def encode_tokens(self, items: Sequence[Sequence[str]]) -> tuple[np.ndarray, np.ndarray]:
        """As `encode`, for lists of tokens."""
        get, normal = self._ids.get, _normal_token(self.model)
        lengths = np.fromiter(map(len, items), np.int64, len(items))
        ids = (get(normal(token), UNKNOWN) for token in chain.from_iterable(items))
        return np.fromiter(ids, np.int64, int(lengths.sum())), lengths

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids, without padding and end.

        Words are joined by single spaces; BPE and characters restore the original text.
        """
        known = [token for token in ids if self.model.id_to_token(token) is not None]
        return str(self.model.decode(known))

    def written(self, texts: Iterable[str], end: str | None = None) -> Iterator[str]:
        """The tokens of all texts, concatenated, as the texts have them: neither normalized nor
        unknown. Of words and characters; byte pairs have no unknown tokens.

        Args:
            texts: of any length.
            end: stands after the tokens of each text; None: nothing does.
        """
        for piece in text_pieces(texts, self._cuts):
            encodings = self.model.encode_batch(piece.texts)
            for text, encoding in zip(piece.texts, encodings, strict=True):
                yield from (text[begin:stop] for begin, stop in encoding.offsets)
                if end is not None and not piece.is_part:
                    yield end

    def piece(self, token: int) -> str:
        """A readable token: BPE bytes as characters."""
        name = self.vocabulary[token]
        if isinstance(self.model.decoder, decoders.ByteLevel) and name not in RESERVED:
            return str(self.model.decoder.decode([name]))
        return name

    def normal(self, text: str) -> str:
        """A text as `decode` returns it if all tokens are known.

        Normalized and lower-cased as the tokenizer is; words joined by single spaces.
        """
        if self.model.normalizer is not None:
            text = self.model.normalizer.normalize_str(text)
        if not isinstance(self.model.model, models.WordLevel) or self.model.decoder is not None:
            return text
        return " ".join(piece for piece, _ in self.model.pre_tokenizer.pre_tokenize_str(text))

    def to_json(self) -> str:
        """Contents of a Hugging Face `tokenizer.json`."""
        return str(self.model.to_str())


def _flat(ids: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    lengths = np.fromiter(map(len, ids), np.int64, len(ids))
    flat = np.fromiter(chain.from_iterable(ids), np.int64, int(lengths.sum()))
    return flat, lengths


def code_points(texts: Sequence[str]) -> np.ndarray:
    """The code points of all characters, concatenated."""
    return np.frombuffer("".join(texts).encode("utf-32-le"), "<u4")


def fit(params: Tokenizer, texts: Iterable[str], end: bool) -> FittedTokenizer:
    """Learn a vocabulary from texts.

    Args:
        params: the tokenizer's params.
        texts: of the training split.
        end: whether the vocabulary has the end token.
    """
    model = _pipeline(params)
    if isinstance(params, Characters):
        return _number(params, model, _characters(model, texts), end)
    trainer: trainers.Trainer
    learned_from: Iterable[str] = texts
    if isinstance(params, BPE):
        trainer = trainers.BpeTrainer(
            vocab_size=params.vocabulary,
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
        learned_from = _cut(texts, model.pre_tokenizer)
    else:
        # Reserved tokens may occur as words of the text and are dropped later: learn as many more.
        trainer = trainers.WordLevelTrainer(
            vocab_size=params.vocabulary + len(RESERVED),
            min_frequency=getattr(params, "minimum_count", 1),
            show_progress=False,
        )
    _train(model, learned_from, trainer)
    vocabulary = model.get_vocab()
    return _number(params, model, sorted(vocabulary, key=vocabulary.__getitem__), end)


def _characters(model: tokenizers.Tokenizer, texts: Iterable[str]) -> list[str]:
    """All characters of normalized texts, the most frequent first, equals by code point."""
    counts = np.zeros(sys.maxunicode + 1, np.int64)
    cuts = ANYWHERE if model.normalizer is None else BEFORE_ASCII
    for piece in text_pieces(texts, cuts):
        normal = piece.texts
        if model.normalizer is not None:
            normal = [model.normalizer.normalize_str(text) for text in normal]
        occurrences = np.bincount(code_points(normal))
        counts[: len(occurrences)] += occurrences
    order = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
    return [*map(chr, order.tolist())]


def _cut(texts: Iterable[str], words: pre_tokenizers.PreTokenizer) -> Iterator[str]:
    """The texts; those with a very long word as their words, cut at `MAX_MERGED_WORD`."""
    long = re.compile(rf"\S{{{MAX_MERGED_WORD + 1}}}")
    for text in texts:
        if not long.search(text):
            yield text
            continue
        for _, (begin, end) in words.pre_tokenize_str(text):
            for first in range(begin, end, MAX_MERGED_WORD):
                yield text[first : min(first + MAX_MERGED_WORD, end)]


def _train(model: tokenizers.Tokenizer, texts: Iterable[str], trainer: trainers.Trainer) -> None:
    """Train in a second thread: signal handlers run in the first one, and only between Python
    instructions, of which the library executes none until it has learned."""
    errors: list[BaseException] = []

    def train() -> None:
        try:
            model.train_from_iterator(texts, trainer)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=train, daemon=True)  # does not keep an ended process alive
    thread.start()
    thread.join()
    if errors:
        raise errors[0]


def fit_tokens(params: Tokenizer, items: Iterable[Sequence[str]]) -> FittedTokenizer:
    """Learn a vocabulary from lists of tokens."""
    model = _pipeline(params)
    counts = Counter(map(_normal_token(model), chain.from_iterable(items)))
    minimum = getattr(params, "minimum_count", 1)
    kept = [token for token, count in counts.items() if count >= minimum]
    kept.sort(key=lambda token: (-counts[token], token))
    return _number(params, model, kept, end=False)


def in_form(form: Normalization, token: str) -> str:
    """A token in a Unicode normalization form; None: as it stands."""
    return token if form is None else unicodedata.normalize(form, token)


def _normal_token(model: tokenizers.Tokenizer) -> Callable[[str], str]:
    """Normalizes a token of a list as the model normalizes texts."""
    normalizer: Any = model.normalizer  # the library's types lack that a sequence is iterable
    steps = list(normalizer) if isinstance(model.normalizer, normalizers.Sequence) else [normalizer]
    kinds = {type(step) for step in steps}
    form = next((form for form, kind in FORMS.items() if kind in kinds), None)
    if normalizers.Lowercase not in kinds:
        return lambda token: in_form(form, token)
    return lambda token: in_form(form, token).lower()


def _pipeline(params: Tokenizer) -> tokenizers.Tokenizer:
    if isinstance(params, BPE):
        model = tokenizers.Tokenizer(models.BPE())
        model.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        model.decoder = decoders.ByteLevel()
    else:
        model = tokenizers.Tokenizer(models.WordLevel(unk_token=UNKNOWN_TOKEN))
        if isinstance(params, Characters):
            # also matches line breaks; the library has no flag for `.` to do so
            model.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
            model.decoder = decoders.Fuse()
        else:
            model.pre_tokenizer = SEPARATORS[params.split]
    steps = [FORMS[params.normalization]()] if params.normalization else []
    steps += [normalizers.Lowercase()] if params.lowercase else []
    if steps:
        model.normalizer = normalizers.Sequence(steps) if len(steps) > 1 else steps[0]
    return model


def _number(
    params: Tokenizer, model: tokenizers.Tokenizer, tokens: list[str], end: bool
) -> FittedTokenizer:
    """Number the tokens after the reserved ones."""
    reserved = RESERVED if end else RESERVED[:2]
    stored = json.loads(model.to_str())
    if isinstance(params, BPE):
        learned, id_of = tokens, {}
    else:
        learned = [token for token in tokens if token not in RESERVED][: params.vocabulary]
        id_of = {UNKNOWN_TOKEN: UNKNOWN}
    id_of |= {token: id for id, token in enumerate(learned, start=len(reserved))}
    stored["model"]["vocab"] = id_of
    numbered = tokenizers.Tokenizer.from_str(json.dumps(stored))
    return FittedTokenizer(numbered, (*reserved, *learned))
