"""The breaker: takedowns over a quota are held for a person, never dropped, never in the way."""
