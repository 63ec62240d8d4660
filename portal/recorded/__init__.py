"""Django's commands that write users, with their events: an app of its own, since the first one listed has its way."""
