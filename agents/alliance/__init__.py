"""Pillar 4, alliance: the registry of rights. Members and brands are not built yet."""
