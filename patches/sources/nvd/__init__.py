"""The National Vulnerability Database (NVD) of NIST: vectors and scores of CVSS, by CVE."""
