"""Writes the answers of live Azure OpenAI to cassettes: `python -m emulator record` and pytest's `--record-mode`. The
command line and the pytest plugin may import this room."""
