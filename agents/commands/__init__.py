"""The commands of `assayer`, a file a group."""
