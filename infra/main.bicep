// `azd up` for people who may create resource groups: makes one and fills it with group.bicep.
targetScope = 'subscription'

@description('Name of the azd environment; the resource group is called rg-<name>.')
@minLength(1)
@maxLength(60)
param environmentName string

@description('Region of the function; near the Azure OpenAI account.')
@minLength(1)
param location string

@description('Name of the Azure OpenAI account (not its URL).')
@minLength(2)
@maxLength(64)
param openAiAccount string

@description('Resource group of the Azure OpenAI account.')
@minLength(1)
param openAiResourceGroup string

@description('Id of the Azure OpenAI account\'s subscription, if it differs.')
param openAiSubscription string = subscription().subscriptionId

@description('Create an account, and a deployment of the first model, instead of using an existing account.')
param createOpenAi bool = false

@description('Object id of the person who deploys, and may call models of a new account; empty: only the function may.')
param principalId string = ''

@description('Thousands of tokens per minute of a new deployment.')
@minValue(1)
param newDeploymentCapacity int = 50

@description('Deployments to serve: one, or a list. my-deployment, or a,b or model=my-deployment,b; model=a|b for spillover.')
@minLength(1)
param deployments string

@description('AZURE_OPENAI_API_VERSION; empty: the v1 API.')
param apiVersion string = ''

@description('AZURE_OPENAI_SCOPE; empty: the usual scope.')
param tokenScope string = ''

@description('PROXY_MAX_OUTPUT_TOKENS; empty: no limit.')
param maxOutputTokens string = ''

@description('PROXY_ALLOW_STORE; false: Azure keeps no responses.')
@allowed(['', 'true', 'false'])
param allowStore string = ''

@description('PROXY_MAX_BODY_MB; empty: 100.')
param maxBodyMb string = ''

@description('PROXY_KEEPALIVE_SECONDS; empty: 20, 0: off.')
param keepaliveSeconds string = ''

@description('PROXY_KEY_SALT. azd makes it, once for an environment, because it has no default.')
@metadata({ azd: { type: 'generate', config: { length: 32, noSpecial: true } } })
@secure()
param keySalt string

@description('Whether signed keys are on below /api/keys. The function checks them, not the host (PROXY_SIGNING_KEY).')
param signedKeys bool = false

@description('PROXY_SIGNING_KEY, where signedKeys is true. azd makes it, once for an environment.')
@metadata({ azd: { type: 'generate', config: { length: 48, noSpecial: true } } })
@secure()
param signingKey string

@description('PROXY_REVOKED_KEYS: names or ids of revoked signed keys.')
param revokedKeys string = ''

@description('Origins whose pages may call, with commas: https://course.example.edu, without a path; * for all; empty: none.')
param corsOrigins string = ''

@description('PROXY_HEALTH; true: GET /api/health answers everybody.')
@allowed(['', 'true', 'false'])
param health string = ''

@description('Calls that one instance serves at once. See function.bicep for the reason of the number.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int = 100

@description('Instances that never stop. Each costs about 21 US dollars a month, and more while it answers.')
@minValue(0)
@maxValue(20)
param alwaysReadyInstances int = 0

@description('About the most instances at once: bursts exceed it. The quota of the deployment limits what calls cost.')
@minValue(1)
@maxValue(1000)
param maximumInstances int = 40

@description('Gigabytes of logs a day; Azure drops all above it until the next day. -1: no limit.')
@minValue(-1)
param logCapGb int = 1

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: { 'azd-env-name': environmentName }
}

module filled 'group.bicep' = {
  scope: group
  params: {
    environmentName: environmentName
    location: location
    openAiAccount: openAiAccount
    openAiResourceGroup: openAiResourceGroup
    openAiSubscription: openAiSubscription
    createOpenAi: createOpenAi
    principalId: principalId
    newDeploymentCapacity: newDeploymentCapacity
    deployments: deployments
    apiVersion: apiVersion
    tokenScope: tokenScope
    maxOutputTokens: maxOutputTokens
    allowStore: allowStore
    maxBodyMb: maxBodyMb
    keepaliveSeconds: keepaliveSeconds
    keySalt: keySalt
    signedKeys: signedKeys
    signingKey: signingKey
    revokedKeys: revokedKeys
    corsOrigins: corsOrigins
    health: health
    httpConcurrency: httpConcurrency
    alwaysReadyInstances: alwaysReadyInstances
    maximumInstances: maximumInstances
    logCapGb: logCapGb
  }
}

output AZURE_RESOURCE_GROUP string = group.name
output AZURE_FUNCTION_APP string = filled.outputs.AZURE_FUNCTION_APP
output PROXY_BASE_URL string = filled.outputs.PROXY_BASE_URL
output PROXY_KEY_COMMAND string = filled.outputs.PROXY_KEY_COMMAND
