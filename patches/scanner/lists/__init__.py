"""The lists that are kept on this host: brought up to date, described and printed, without a scan."""
