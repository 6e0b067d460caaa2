"""Policies: which regimes and calendars an institution goes by, as facts; pure, nothing is stored here."""
