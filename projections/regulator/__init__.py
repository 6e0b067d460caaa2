"""The regulator's door: plain tables in a database of their own, pseudonymised, brought up by difference, verifiable."""
