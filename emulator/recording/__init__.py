"""Recording what live Azure OpenAI answers: `python -m emulator record` and pytest's `--record-mode`."""
