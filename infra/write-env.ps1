# After each deployment: writes the URL and the key of the proxy into .env, for Quickstart.ipynb, and asks the proxy
# whether it runs. Every other line of .env stays. azd gives the outputs of the templates in the environment.
# It also runs in Windows PowerShell 5.1, which reads this file as ASCII.
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false # a missing key is no error: it may come late
$ProgressPreference = 'SilentlyContinue'
$file = Join-Path (Split-Path $PSScriptRoot) '.env'
$pauses = @(10, 10, 10, 10, 10, 0) # seconds after each try: a new host hands out its keys late, and starts slowly
if ($env:HOOK_PAUSES) { $pauses = @($env:HOOK_PAUSES -split ' ') }

function Put([string]$Name, [string]$Value) {
    $lines = @(if (Test-Path $file) { Get-Content -Encoding utf8 $file })
    $kept = @($lines | Where-Object { $_ -notmatch "^(export +)?$Name=" })
    [IO.File]::WriteAllText($file, (($kept + "$Name=$Value") -join "`n") + "`n") # UTF-8, no byte-order mark
}

function Find-Key {
    $ErrorActionPreference = 'Continue' # 5.1 would stop at a line on standard error
    if (-not (Get-Command az -ErrorAction SilentlyContinue)) { return }
    foreach ($pause in $pauses) {
        $found = az functionapp keys list --subscription $env:AZURE_SUBSCRIPTION_ID `
            --resource-group $env:AZURE_RESOURCE_GROUP --name $env:AZURE_FUNCTION_APP --query functionKeys.default `
            --output tsv 2>$null
        if ($LASTEXITCODE -eq 0 -and $found) { return $found }
        Start-Sleep -Seconds $pause
    }
}

function Ask([string]$Route) { # 5.1 throws at every status that is not good
    try {
        $got = Invoke-WebRequest -UseBasicParsing -TimeoutSec 30 -Uri "$env:PROXY_BASE_URL/$Route" `
            -Headers @{ 'x-functions-key' = $key }
        return @{ Status = [int]$got.StatusCode; Body = [string]$got.Content }
    } catch {
        $status = if ($_.Exception.Response) { [int]$_.Exception.Response.StatusCode } else { 0 }
        return @{ Status = $status; Body = [string]$_.ErrorDetails }
    }
}

Put 'PROXY_BASE_URL' $env:PROXY_BASE_URL
$key = Find-Key
if (-not $key) {
    Write-Output "The proxy is at $env:PROXY_BASE_URL, which is in .env. There was no key yet; this prints one:"
    Write-Output "  $env:PROXY_KEY_COMMAND"
    exit 0
}
Put 'FUNCTION_HOST_KEY' $key
Write-Output "The proxy is at $env:PROXY_BASE_URL; this URL and a key are in .env"

foreach ($pause in $pauses) { # the function answers `GET models` without Azure
    $answer = Ask 'models'
    if ($answer.Status -eq 200 -or $answer.Body -match '"misconfigured"') { break }
    Start-Sleep -Seconds $pause
}
if ($answer.Status -eq 200) {
    $answer = Ask 'responses/resp_0' # reaches Azure, and costs nothing: no such response exists
    if ($answer.Body -match '"(upstream_authentication_error|identity_unavailable)"') {
        Write-Output 'It runs. Azure OpenAI does not know its identity yet: the role needs five minutes after the first deployment.'
    } else {
        Write-Output 'It runs.'
    }
    exit 0
}
if ($answer.Status -ne 404 -and $answer.Status -lt 500) {
    $status = '{0:000}' -f $answer.Status
    Write-Output "GET models is answered by $status; python -m emulator doctor may say why."
    exit 0
}
if ($answer.Body -match '"misconfigured"') {
    Write-Output 'It runs, but a setting is wrong:'
    Write-Output $answer.Body
} else {
    Write-Output "It does not run: GET models is answered by $($answer.Status), and no function is there. Most often the code was built for"
    Write-Output 'another Python than 3.13: look for --platform-version in the deployment''s log. See docs/deploying.md, "When azd up stops".'
}
exit 1
