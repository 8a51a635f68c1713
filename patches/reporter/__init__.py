"""patches-reporter: a reporter API that accepts scan reports, keeps each host's last one, and shows its findings."""
