"""Returns: what goes to a receiver outside for a period, defined as data, computed at a position, frozen as a document."""
