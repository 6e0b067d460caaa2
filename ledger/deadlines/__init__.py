"""Deadlines: calendars, regimes and clocks, all pure; no clock is read and nothing is stored here."""
