# Makes PROXY_KEY_SALT, once: azd keeps it for this environment, so that fingerprints of keys stay the same.
# azd runs it before it provisions, with what `azd env set` has set in the environment.
$ErrorActionPreference = 'Stop'
if (-not $env:PROXY_KEY_SALT) {
    $bytes = [byte[]]::new(16)
    [Security.Cryptography.RandomNumberGenerator]::Fill($bytes)
    azd env set PROXY_KEY_SALT ([Convert]::ToHexString($bytes).ToLower())
    exit $LASTEXITCODE
}
