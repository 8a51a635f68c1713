"""HTTP, for all three programs: bounded requests, and bounded bodies of responses."""
