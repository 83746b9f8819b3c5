"""The demo: the whole worker on embedded services and a shipped sample."""
