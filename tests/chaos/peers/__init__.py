"""Peers that do not behave: servers, sources, roots of hosts, requests that follow no description."""
