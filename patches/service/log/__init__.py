"""The log of the daemons: what its lines may have, which of them are written, and troubles that last."""
