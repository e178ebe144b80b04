#!/bin/sh
# Makes PROXY_KEY_SALT, once: azd keeps it for this environment, so that fingerprints of keys stay the same.
# azd runs it before it provisions, with what `azd env set` has set in the environment.
set -eu
if [ -z "${PROXY_KEY_SALT:-}" ]; then
    azd env set PROXY_KEY_SALT "$(od -A n -t x1 -N 16 /dev/urandom | tr -d ' \n')"
fi
