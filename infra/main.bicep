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

@description('Create the account, and a deployment of the first model, instead of using one that exists.')
param createOpenAi bool = false

@description('Thousands of tokens per minute of a deployment that is created.')
@minValue(1)
param newDeploymentCapacity int = 50

@description('Deployments that are served: gpt-4o-mini, or a list like gpt-4o-mini,gpt-4o=my-4o-deployment.')
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

@description('PROXY_KEY_SALT, which `azd up` makes; empty: fingerprints need what App Service may have for it.')
@secure()
param keySalt string = ''

@description('Calls that one instance serves at once. See function.bicep for the reason of the number.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int = 100

@description('Instances that never stop. Each costs about 21 US dollars a month, used or not; 0 costs nothing when idle.')
@minValue(0)
@maxValue(20)
param alwaysReadyInstances int = 0

@description('The most instances at once: a lid on what a runaway script can cost.')
@minValue(40)
@maxValue(1000)
param maximumInstances int = 40

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: { 'azd-env-name': environmentName }
}

module filled 'group.bicep' = {
  name: 'proxy'
  scope: group
  params: {
    environmentName: environmentName
    location: location
    openAiAccount: openAiAccount
    openAiResourceGroup: openAiResourceGroup
    createOpenAi: createOpenAi
    newDeploymentCapacity: newDeploymentCapacity
    deployments: deployments
    apiVersion: apiVersion
    tokenScope: tokenScope
    maxOutputTokens: maxOutputTokens
    allowStore: allowStore
    maxBodyMb: maxBodyMb
    keySalt: keySalt
    httpConcurrency: httpConcurrency
    alwaysReadyInstances: alwaysReadyInstances
    maximumInstances: maximumInstances
  }
}

output AZURE_RESOURCE_GROUP string = group.name
output AZURE_FUNCTION_APP string = filled.outputs.AZURE_FUNCTION_APP
output PROXY_BASE_URL string = filled.outputs.PROXY_BASE_URL
output PROXY_KEY_COMMAND string = filled.outputs.PROXY_KEY_COMMAND
