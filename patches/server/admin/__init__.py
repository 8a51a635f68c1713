"""``patches catalogue``: what an operator does with the catalogue of a server."""
