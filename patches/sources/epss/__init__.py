"""The Exploit Prediction Scoring System (EPSS) of FIRST: bands of percentiles, by CVE."""
