"""What generates text: a state that gives the scores of the next token."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor


class Continuation(ABC):
    """A text that goes on."""

    @abstractmethod
    def scores(self) -> Tensor:
        """[vocabulary] logits of the next token."""

    @abstractmethod
    def append(self, token: int) -> None:
        """Goes on with a token."""

    @abstractmethod
    def text(self, tokens: Sequence[int]) -> str:
        """The whole text with the appended tokens, the prompt included where it is a text."""
