"""Lists in Patches' own wire format, from files."""
