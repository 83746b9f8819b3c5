"""Programs that make the project's data at development time."""
