"""The control API: shows and changes a running emulator over HTTP, below /_emulator/ (docs/control.md)."""
