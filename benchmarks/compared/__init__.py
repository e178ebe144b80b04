"""Who is compared, and what stands around them: the upstream, the load, a core for each. Imports no other room."""
