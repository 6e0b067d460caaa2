"""Code tables, routing and limits of approval: an institution's own, as facts; pure, nothing is stored here."""
