"""One leak of personal information, from finding it to its review; pure."""
