"""
VEX documents as files of decisions: the formats OpenVEX, CSAF and CycloneDX, each parsed to the same statements.

A statement with the status "not affected" or "fixed" is a decision to ignore the findings of its products; any other
status is none. The words of all formats are converted to OpenVEX's.
"""
