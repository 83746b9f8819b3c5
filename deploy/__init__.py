"""What runs the assayer elsewhere than in a developer's shell, and the servers for tests."""
