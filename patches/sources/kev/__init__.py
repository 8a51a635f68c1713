"""The catalogue of known exploited vulnerabilities (KEV) of CISA: the dates of entries, by CVE."""
