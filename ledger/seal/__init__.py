"""Seals: what a projection's rows were, committed to by an event of the book."""
