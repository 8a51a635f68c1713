"""Real daemons in the conditions of the field: upgrades, new names, firewalls, networks that go and come."""
