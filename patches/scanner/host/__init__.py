"""Facts about a host: its platform, kernels, subscriptions and end of support, and changes of its packages."""
