"""A cassette in VCR.py's format, read, and what its requests mean. Every room may import it."""
