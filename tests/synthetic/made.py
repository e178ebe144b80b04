"""Prints the values for some seeds. A test runs this in processes whose string hashes differ."""

import json

from emulator.synthetic.fields import fields_of
from emulator.synthetic.instance import instance
from emulator.synthetic.seed import Seed
from emulator.synthetic.vectors import vector
from emulator.synthetic.words import said
from tests.synthetic.schemas import HARD, JAVASCRIPT

PROMPT = [
    {"role": "system", "content": "Your output fields are:\n1. `answer` (str):\n2. `tags` (set[str]):"},
    {
        "role": "user",
        "content": "Respond with a JSON object in the following order of fields: `answer`, then `tags` (must be …).",
    },
]

if __name__ == "__main__":
    schemas = {**HARD, "javascript": JAVASCRIPT}
    fields = fields_of(PROMPT)
    assert fields
    for seed in map(Seed, ("a", "b", "c")):
        print(json.dumps([{name: instance(schema, seed) for name, schema in schemas.items()}]))
        print(said("What is it?", seed, 60), vector(f"the lighthouse {seed.text}", 64), fields.answer(seed))
