"""
One host by itself: the list of its platform is read in the process of the command, with the server's own refresh and
catalogue, and kept in a folder. Nothing listens, and there are no sessions.
"""
