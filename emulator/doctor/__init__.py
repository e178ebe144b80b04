"""`python -m emulator doctor` examines a deployed proxy from the outside. The command line may import this room."""
