"""Alpine's security database, in the format that Wolfi and Chainguard publish too."""
