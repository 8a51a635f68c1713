"""patches-server: reads vulnerability sources into a catalogue, and serves it to sessions through cache windows."""
