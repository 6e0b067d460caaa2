"""Returns to receivers outside: that one was sent, acknowledged, questioned, answered and restated, as facts."""
