"""HTTP for all programs: requests and bodies of bounded size, header fields, and the connections of clients."""
