"""The checks of ``patches doctor``: what is wrong with the scanning of this host, and the remedy."""
