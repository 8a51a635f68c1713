"""
The HTTP API of the server.

:mod:`~patches.server.http.api` has the resources, :mod:`~patches.server.http.representations` their JSON documents,
:mod:`~patches.server.http.errors` the table from errors to responses. :mod:`~patches.server.http.channel` bounds each
connection; :mod:`~patches.server.http.fast_path` answers plain requests for chunks before they are parsed.
"""
