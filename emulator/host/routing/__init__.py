"""Which function answers a path: route templates, their constraints, their order. May import `host.app`."""
