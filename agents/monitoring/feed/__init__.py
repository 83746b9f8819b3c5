"""Reads files of marketplace rows as listings and sellers, so that they can be published.

mapping = load_mapping("lazada")
for row in read_listings(Path("rows.csv"), mapping, now):
    ...                      # a Listing, or a Refused with the line and the reason
"""

from agents.monitoring.feed.mapping import FeedError, FeedMapping, MappingError, load_mapping
from agents.monitoring.feed.reader import read_listings, read_sellers

__all__ = [
    "FeedError",
    "FeedMapping",
    "MappingError",
    "load_mapping",
    "read_listings",
    "read_sellers",
]
