"""Record modes, in vcrpy's and pytest-recording's words. Imports nothing, because pytest reads it on every run."""

MODES = {  # the requests that go to the live service
    "none": "no request; one without a recording fails",
    "once": "requests without a recording, if the cassette does not exist yet",
    "new_episodes": "requests without a recording; they are added to the cassette",
    "all": "every request; a new answer replaces the old one to the same request",
    "rewrite": "every request; the cassette then holds the new answers only",
}
REPLACING = ("all", "rewrite")
