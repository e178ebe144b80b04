# Writes the URL and the key of the deployed proxy into .env, for Quickstart.ipynb. Every other line of .env stays.
# azd runs it with the outputs of main.bicep in the environment.
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false # a key that is not there yet is no error
$file = Join-Path (Split-Path $PSScriptRoot) '.env'

function Put([string]$Name, [string]$Value) {
    $lines = @(if (Test-Path $file) { Get-Content $file })
    $kept = @($lines | Where-Object { $_ -notmatch "^(export +)?$Name=" })
    [IO.File]::WriteAllText($file, (($kept + "$Name=$Value") -join "`n") + "`n") # no byte-order mark
}

Put 'PROXY_BASE_URL' $env:PROXY_BASE_URL
$key = if (Get-Command az -ErrorAction SilentlyContinue) {
    az functionapp keys list --subscription $env:AZURE_SUBSCRIPTION_ID `
        --resource-group $env:AZURE_RESOURCE_GROUP --name $env:AZURE_FUNCTION_APP --query functionKeys.default `
        --output tsv 2>$null
}
if ($key) {
    Put 'FUNCTION_HOST_KEY' $key
    Write-Output "The proxy is at $env:PROXY_BASE_URL; this URL and a key are in .env"
} else {
    Write-Output "The proxy will be at $env:PROXY_BASE_URL, which is in .env. Once the code is deployed, this prints a key:"
    Write-Output "  $env:PROXY_KEY_COMMAND"
}
exit 0
