"""One customer: who, how treated, with whose consent, and which records are of one person; pure."""
