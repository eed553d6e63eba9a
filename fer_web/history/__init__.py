"""What was seen in a session: recorded, looked back at, compared, exported, deleted."""
