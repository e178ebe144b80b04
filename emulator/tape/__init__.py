"""What was recorded: cassettes in VCR.py's format, matching, replay. Knows nothing of servers or clients."""
