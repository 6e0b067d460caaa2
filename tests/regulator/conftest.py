"""The keys and the reader that figures are computed with serve the door too."""

from tests.indicators.conftest import book_of, keys, reader

__all__ = ["book_of", "keys", "reader"]
