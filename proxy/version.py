"""The release, which `GET /api/health` tells. pyproject.toml has the same, but does not go to Azure."""

VERSION = "0.1.0"
