"""How events move: settings, topics, codec, transport, store, dead letters, metrics."""
