"""Matching: one vulnerability against all installed packages, findings, and decisions to ignore them."""
