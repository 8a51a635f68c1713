"""The console command ``patches``: its groups, and options made from tables of settings."""
