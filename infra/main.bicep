// `azd up` for people who may create resource groups: makes one and fills it with group.bicep.
targetScope = 'subscription'

@description('Name of the azd environment; the resource group is called rg-<name>.')
@minLength(1)
@maxLength(60)
param environmentName string

@description('Region of the function; near the Azure OpenAI account.')
@minLength(1)
param location string

@description('Name of the Azure OpenAI account that answers (not its URL).')
@minLength(2)
@maxLength(64)
param openAiAccount string

@description('Resource group of the Azure OpenAI account.')
@minLength(1)
param openAiResourceGroup string

@description('Id of the subscription of the Azure OpenAI account, where it is another one.')
param openAiSubscription string = subscription().subscriptionId

@description('Create the account, and a deployment of the first model, instead of using one that exists.')
param createOpenAi bool = false

@description('Object id of the person who deploys, and may ask an account that is created; empty: nobody but the function.')
param principalId string = ''

@description('Thousands of tokens per minute of a deployment that is created.')
@minValue(1)
param newDeploymentCapacity int = 50

@description('Deployments that are served: one, or a list. my-deployment, or a,b or model=my-deployment,b.')
@minLength(1)
param deployments string

@description('AZURE_OPENAI_API_VERSION; empty: the v1 API.')
param apiVersion string = ''

@description('AZURE_OPENAI_SCOPE; empty: the usual one.')
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

@description('PROXY_KEY_SALT. azd makes it, once for an environment; with a default it would not.')
@metadata({ azd: { type: 'generate', config: { length: 32, noSpecial: true } } })
@secure()
param keySalt string

@description('Signed keys below /api/keys, which the function checks and not the host: PROXY_SIGNING_KEY is set.')
param signedKeys bool = false

@description('PROXY_SIGNING_KEY, where signedKeys says so. azd makes it, once for an environment.')
@metadata({ azd: { type: 'generate', config: { length: 48, noSpecial: true } } })
@secure()
param signingKey string

@description('PROXY_REVOKED_KEYS: names or ids of signed keys that were taken back.')
param revokedKeys string = ''

@description('Calls that one instance serves at once. See function.bicep for the reason of the number.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int = 100

@description('Instances that never stop. Each costs about 21 US dollars a month, and more while it answers.')
@minValue(0)
@maxValue(20)
param alwaysReadyInstances int = 0

@description('About the most instances at once: bursts go above it. What calls cost, the quota of the deployment limits.')
@minValue(1)
@maxValue(1000)
param maximumInstances int = 40

@description('Gigabytes of logs a day; what is above it is lost until the next day. -1: no limit.')
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
