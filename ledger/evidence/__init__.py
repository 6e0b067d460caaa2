"""Files of evidence: taken in, checked, encrypted in pieces, given out again. What they prove is not known here."""
