"""What sellers say around a mark: words of copying, negations, nominative use."""

from agents.monitoring.vocabulary.loader import Finding, Vocabulary, load

__all__ = ["Finding", "Vocabulary", "load"]
