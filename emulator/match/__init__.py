"""Which recording answers a request, and why none does. `azure`, the stack and the rooms above them may import it."""
