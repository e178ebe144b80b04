"""Which recording answers a request, and why none does. May import `tape`."""
