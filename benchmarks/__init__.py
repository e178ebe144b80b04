"""Measures what the proxy adds, in pairs, against its alternatives: `python -m benchmarks --help`."""
