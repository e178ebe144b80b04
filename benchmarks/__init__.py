"""What the proxy adds, measured in pairs against what one would pick instead: `python -m benchmarks --help`."""
