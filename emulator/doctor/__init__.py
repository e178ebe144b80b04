"""`python -m emulator doctor`: a deployed proxy, examined from the outside. The command line may import it."""
