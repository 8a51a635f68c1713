"""Places: the folders of a user, and the files and variables in which options are found."""
