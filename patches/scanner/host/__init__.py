"""Facts about a host: its platform, its kernels, its subscriptions, changes of its packages."""
