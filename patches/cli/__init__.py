"""The console command ``patches``: its commands, and their options, which are created from tables of settings."""
