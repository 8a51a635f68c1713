"""patches-scanner: streams a platform's vulnerabilities, compares them with the installed packages, and reports."""
