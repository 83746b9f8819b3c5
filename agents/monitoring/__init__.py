"""Pillar 1: screens every listing as it changes, and takes down what infringes."""
