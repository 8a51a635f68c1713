"""``updateinfo.xml``: the advisories of rpm repositories."""
