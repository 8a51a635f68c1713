"""Reports: made from an outcome, kept in an outbox, delivered to a reporter API."""
