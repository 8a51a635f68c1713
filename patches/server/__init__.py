"""
patches-server: it reads vulnerability sources into a catalogue, and serves it to sessions through cache windows.

The data goes through the folders in this order: ``refresh`` reads the sources and publishes snapshots, ``catalogue``
stores them, ``sessions`` decides who may read and holds the windows, ``http`` is the API. ``admin`` is ``patches
catalogue``. :mod:`~patches.server.service` creates all parts and puts them together.
"""
