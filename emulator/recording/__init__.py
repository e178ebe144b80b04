"""Recording what live Azure OpenAI answers: `python -m emulator record` and pytest's `--record-mode`. May import `azure`,
`host`, the stack, and what stands below them."""
