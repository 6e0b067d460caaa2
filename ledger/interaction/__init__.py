"""One contact with a customer that is not itself a complaint; pure."""
