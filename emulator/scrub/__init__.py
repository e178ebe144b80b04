"""What must not get into a cassette: found, named, taken out. `recording`, `lint` and `synthetic` may import it."""
