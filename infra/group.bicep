// The proxy in one resource group: its identity, its resources, its roles. `azd up` with `module: group` in azure.yaml
// uses this file alone, for people who may deploy into one resource group only. main.bicep makes the group as well.
targetScope = 'resourceGroup'

@description('Name of the azd environment; names of resources are made from it.')
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

var token = toLower(uniqueString(resourceGroup().id, environmentName))
var tags = { 'azd-env-name': environmentName }

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-${token}'
  location: location
  tags: tags
}

module storage 'storage.bicep' = {
  params: {
    name: 'st${token}'
    location: location
    tags: tags
    principalId: identity.properties.principalId
  }
}

module usage 'usage.bicep' = if (signedKeys) {
  params: {
    accountName: storage.outputs.name
    principalId: identity.properties.principalId
  }
}

module monitoring 'monitoring.bicep' = {
  params: {
    token: token
    location: location
    tags: tags
    principalId: identity.properties.principalId
    capGb: logCapGb
  }
}

module account 'account.bicep' = if (createOpenAi) {
  scope: resourceGroup(openAiSubscription, openAiResourceGroup)
  params: {
    name: openAiAccount
    location: location
    tags: tags
    deployment: split(deployments, ',')[0]
    capacity: newDeploymentCapacity
  }
}

module access 'access.bicep' = {
  scope: resourceGroup(openAiSubscription, openAiResourceGroup)
  params: {
    accountName: createOpenAi ? account!.outputs.name : openAiAccount
    principalId: identity.properties.principalId
    personId: createOpenAi ? principalId : '' // an existing account has its owners
  }
}

module app 'function.bicep' = {
  params: {
    token: token
    location: location
    tags: tags
    identityId: identity.id
    storageEndpoint: storage.outputs.endpoint
    packages: storage.outputs.packages
    httpConcurrency: httpConcurrency
    alwaysReadyInstances: alwaysReadyInstances
    maximumInstances: maximumInstances
    keySalt: keySalt
    signedKeys: signedKeys
    signingKey: signingKey
    corsOrigins: corsOrigins
    settings: {
      AZURE_CLIENT_ID: identity.properties.clientId
      AZURE_OPENAI_BASE: access.outputs.endpoint
      AZURE_OPENAI_DEPLOYMENT: deployments
      AZURE_OPENAI_API_VERSION: apiVersion
      AZURE_OPENAI_SCOPE: tokenScope
      PROXY_MAX_OUTPUT_TOKENS: maxOutputTokens
      PROXY_ALLOW_STORE: allowStore
      PROXY_MAX_BODY_MB: maxBodyMb
      PROXY_KEEPALIVE_SECONDS: keepaliveSeconds
      PROXY_REVOKED_KEYS: revokedKeys
      PROXY_HEALTH: health
      PROXY_USAGE_TABLE: signedKeys ? usage!.outputs.url : ''
      // Only blobs: the host needs no queue and no table for HTTP functions.
      AzureWebJobsStorage__blobServiceUri: storage.outputs.endpoint
      AzureWebJobsStorage__credential: 'managedidentity'
      AzureWebJobsStorage__clientId: identity.properties.clientId
      APPLICATIONINSIGHTS_CONNECTION_STRING: monitoring.outputs.connectionString
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.properties.clientId};Authorization=AAD'
      // Without this setting, Azure Monitor's exporters keep 5 requests a second.
      OTEL_TRACES_SAMPLER: 'microsoft.fixed_percentage'
      OTEL_TRACES_SAMPLER_ARG: '1.0'
      // Above its limit, 100 MiB by default, the host answers an empty 500, and SDKs try three times. 210 MiB lets the
      // function answer with its own 413.
      FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '220200960'
    }
  }
}

output AZURE_RESOURCE_GROUP string = resourceGroup().name
output AZURE_FUNCTION_APP string = app.outputs.name
output PROXY_BASE_URL string = 'https://${app.outputs.host}/api/v1'
output PROXY_KEY_COMMAND string = 'az functionapp keys list --subscription ${subscription().subscriptionId} --resource-group ${resourceGroup().name} --name ${app.outputs.name} --query functionKeys.default --output tsv'
