"""The HTTP API of the server: resources, errors, metrics, and the fast path for chunks."""
