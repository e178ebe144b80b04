"""What live Azure OpenAI answers, written to cassettes: `python -m emulator record` and pytest's `--record-mode`. The
command line and the pytest plugin may import it."""
