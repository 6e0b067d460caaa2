"""The schema, as plain SQL files applied in the order of their numbers; forward only, never edited. No code."""
