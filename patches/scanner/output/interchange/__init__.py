"""The outcome of a scan in the formats of other systems: forges, tests in pipelines, bills of materials."""
