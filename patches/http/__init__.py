"""HTTP for all programs: requests and bodies of bounded size, and header fields."""
