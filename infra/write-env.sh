#!/bin/sh
# After each deployment: writes the URL and the key of the proxy into .env, for Quickstart.ipynb, and asks the proxy
# whether it runs. Every other line of .env stays. azd gives the outputs of the templates in the environment.
set -eu
cd "$(dirname "$0")/.."
umask 077 # .env holds a key
pauses=${HOOK_PAUSES:-10 10 10 10 10 0} # seconds after each try: a new host hands out its keys late, and starts slowly
new=.env.$$ answer=$(mktemp)
trap 'rm -f "$new" "$answer"' EXIT
trap 'exit 130' INT TERM

put() { # NAME VALUE
    if [ -f .env ]; then
        grep -v "^\(export  *\)\{0,1\}$1=" .env >"$new" || true
    else
        : >"$new"
    fi
    printf '%s=%s\n' "$1" "$2" >>"$new"
    mv "$new" .env
}

find_key() {
    command -v az >/dev/null || return 0
    for pause in $pauses; do
        key=$(az functionapp keys list --subscription "$AZURE_SUBSCRIPTION_ID" \
            --resource-group "$AZURE_RESOURCE_GROUP" --name "$AZURE_FUNCTION_APP" --query functionKeys.default \
            --output tsv 2>/dev/null) && [ -n "$key" ] && return 0
        sleep "$pause"
    done
}

ask() { # ROUTE: prints the status, 000 without one; the body is in $answer
    : >"$answer"
    printf 'header = "x-functions-key: %s"\n' "$key" | # others could read a command line
        curl --silent --max-time 30 --config - --output "$answer" --write-out '%{http_code}' "$PROXY_BASE_URL/$1" || true
}

says() { grep -q "\"$1\"" "$answer"; } # CODE

put PROXY_BASE_URL "$PROXY_BASE_URL"
key=
find_key
if [ -z "$key" ]; then
    echo "The proxy is at $PROXY_BASE_URL, which is in .env. There was no key yet; this prints one:"
    echo "  $PROXY_KEY_COMMAND"
    exit 0
fi
put FUNCTION_HOST_KEY "$key"
echo "The proxy is at $PROXY_BASE_URL; this URL and a key are in .env"

command -v curl >/dev/null || exit 0
for pause in $pauses; do # the function answers `GET models` without Azure
    status=$(ask models)
    if [ "$status" = 200 ] || says misconfigured; then break; fi
    sleep "$pause"
done
case $status in
200)
    ask responses/resp_0 >/dev/null # reaches Azure, and costs nothing: no such response exists
    if says upstream_authentication_error || says identity_unavailable; then
        echo "It runs. Azure OpenAI does not know its identity yet: the role needs five minutes after the first deployment."
    else
        echo "It runs."
    fi
    ;;
404 | 5??)
    if says misconfigured; then
        echo "It runs, but a setting is wrong:"
        cat "$answer"
    else
        echo "It does not run: GET models is answered by $status, and no function is there. Most often the code was built for"
        echo "another Python than 3.13: look for --platform-version in the deployment's log. See docs/deploying.md, \"When azd up stops\"."
    fi
    exit 1
    ;;
*) echo "GET models is answered by $status; python -m emulator doctor may say why." ;;
esac
