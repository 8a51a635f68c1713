"""
Vulnerability sources: where the server reads complete lists.

Each feed is a folder: its ``parser`` is pure, its ``source`` says which files make a list, and its ``KIND`` is in
:mod:`~patches.sources.registry`. A source of files is a :mod:`~patches.sources.feed`; ``fetch`` downloads the files,
``archive`` opens them, :mod:`~patches.sources.regroup` merges what a feed says in many places.
:mod:`~patches.sources.public` is the table of public feeds.
"""
