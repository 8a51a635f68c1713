"""
Fetching the files of feeds.

A :mod:`~patches.sources.fetch.fetcher` downloads URLs (:mod:`~patches.sources.fetch.download`) and finds local files
(:mod:`~patches.sources.fetch.local`). A download is conditional, resumed and verified; its files are in a
:mod:`~patches.sources.fetch.cache`. :mod:`~patches.sources.fetch.retry` has the limits and the one retry loop;
:mod:`~patches.sources.fetch.access` the trust, proxies and headers of a source.
"""
