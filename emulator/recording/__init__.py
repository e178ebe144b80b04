"""Recording what live Azure OpenAI answers: `python -m emulator record` and pytest's `--record-mode`. May import the
stack, `azure`, `host`, and what stands below them."""
