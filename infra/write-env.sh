#!/bin/sh
# Writes the URL and the key of the deployed proxy into .env, for Quickstart.ipynb. Every other line of .env stays.
# azd runs it with the outputs of main.bicep in the environment.
set -eu
cd "$(dirname "$0")/.."
umask 077 # .env holds a key

put() { # NAME VALUE
    if [ -f .env ]; then
        grep -v "^\(export  *\)\{0,1\}$1=" .env >.env.new || true
    else
        : >.env.new
    fi
    printf '%s=%s\n' "$1" "$2" >>.env.new
    mv .env.new .env
}

put PROXY_BASE_URL "$PROXY_BASE_URL"
if key=$(az functionapp keys list --subscription "$AZURE_SUBSCRIPTION_ID" \
    --resource-group "$AZURE_RESOURCE_GROUP" --name "$AZURE_FUNCTION_APP" --query functionKeys.default \
    --output tsv 2>/dev/null) && [ -n "$key" ]; then
    put FUNCTION_HOST_KEY "$key"
    echo "The proxy is at $PROXY_BASE_URL; this URL and a key are in .env"
else
    echo "The proxy will be at $PROXY_BASE_URL, which is in .env. Once the code is deployed, this prints a key:"
    echo "  $PROXY_KEY_COMMAND"
fi
