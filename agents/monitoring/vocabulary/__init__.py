"""What sellers say around a mark: replica words, their negations, nominative use; a file a language."""

from agents.monitoring.vocabulary.loader import Finding, Vocabulary, load

__all__ = ["Finding", "Vocabulary", "load"]
