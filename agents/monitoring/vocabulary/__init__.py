"""What sellers say around a mark: words of copying, negations, nominative use."""

from agents.monitoring.vocabulary.expressions import VocabularyError
from agents.monitoring.vocabulary.loader import load
from agents.monitoring.vocabulary.replica import Finding
from agents.monitoring.vocabulary.vocabulary import Vocabulary

__all__ = ["Finding", "Vocabulary", "VocabularyError", "load"]
