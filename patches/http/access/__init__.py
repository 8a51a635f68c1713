"""Access of clients to servers: the proxies that lead to them, tunnels, and the certificates that are trusted."""
