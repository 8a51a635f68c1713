"""Red Hat's VEX documents, in CSAF's format."""
