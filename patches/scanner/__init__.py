"""patches-scanner: streams a platform's vulnerabilities, compares them with what is installed, and reports."""
