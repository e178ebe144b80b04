"""A fake Azure OpenAI on loopback that replays VCR.py cassettes, and a local Functions host to run the proxy on."""
