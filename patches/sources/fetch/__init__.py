"""Fetching the files of feeds: conditional, resumed, verified downloads, through proxies."""
