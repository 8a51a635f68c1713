"""Reports: created from an outcome, stored in an outbox, and delivered to a reporter API."""
