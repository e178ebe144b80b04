"""What tells of a running emulator and changes it, over HTTP below /_emulator/: docs/control.md."""
