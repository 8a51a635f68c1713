"""patches-reporter: a reporter API that accepts scan reports, stores the last one of each host, and lists findings."""
