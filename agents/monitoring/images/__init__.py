"""Pictures: their PDQ hashes, and an exact index of those known to show infringing goods.

Nothing of it is imported before a right has hashes registered or a picture is hashed: where nobody
registers pictures, they cost nothing.
"""
