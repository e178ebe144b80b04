"""Who is compared, and what stands around them: the upstream, the load, a core for each. `measured` and `reported` may
import it."""
