"""Makes the data of `agents.monitoring.confusables`."""
