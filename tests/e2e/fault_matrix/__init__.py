"""What goes wrong between Azure and the proxy, and what each client's user sees of it."""
