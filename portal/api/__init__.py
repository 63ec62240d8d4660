"""What the whole API shares: problems, the staff's views, strict input, what the schema says of them, and login."""

from portal.api.problems import problem_response

__all__ = ["problem_response"]
