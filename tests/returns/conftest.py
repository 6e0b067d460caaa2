"""The books that figures are computed of serve the returns too."""

from tests.indicators.conftest import book_of, keys, reader

__all__ = ["book_of", "keys", "reader"]
