"""What managers are told by numbers: the facts as tables in two times, the indicators over them, and every number opened."""
