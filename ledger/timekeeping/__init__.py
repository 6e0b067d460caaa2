"""Timekeeping: the passing of time as facts; pure, no clock is read and nothing is stored here."""
