"""Pillar 4: rights holders, their brands and the rights registry."""
