"""What is remembered of listings: removals, linked sellers, and branded listings seen before.

Three views in Redis, each a fold over a topic, and one reading of them a batch.
"""
