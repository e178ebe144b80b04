"""Record modes, in vcrpy's and pytest-recording's words. Nothing is imported here: pytest reads it on every run."""

MODES = {  # what is asked of the live service
    "none": "nothing; a request without a recording fails",
    "once": "what has no recording, while the cassette does not exist yet",
    "new_episodes": "what has no recording; it is added to the cassette",
    "all": "everything; a new answer replaces the old one to the same request",
    "rewrite": "everything; the cassette then holds this and nothing else",
}
REPLACING = ("all", "rewrite")
