"""How an instant is written for programs. Reads no clock."""

from datetime import UTC, datetime


def written(at: datetime) -> str:
    """ISO 8601 in UTC, ended by Z, as events are stored: the one form in which answers and documents state an instant."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
