"""``patches catalogue``: the operator's commands on the catalogue of a server."""
