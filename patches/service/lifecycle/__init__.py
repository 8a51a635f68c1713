"""The life of a daemon: its preparation, what it tells systemd, its signals, and how it reads its options again."""
