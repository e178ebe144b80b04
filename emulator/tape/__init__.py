"""A cassette in VCR.py's format, read, and what its requests mean. Imports no other room of the emulator."""
