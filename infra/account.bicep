// A new Azure OpenAI account without keys, and its first deployment.

@description('Name of the account, and of its host: <name>.openai.azure.com.')
param name string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('What to deploy: a model, or model=name. Of model=name|next only the first is made.')
param deployment string

@description('Thousands of tokens per minute.')
param capacity int

var parts = split(split(deployment, '|')[0], '=')

resource account 'Microsoft.CognitiveServices/accounts@2026-05-01' = {
  name: name
  location: location
  tags: tags
  // Azure upgrades accounts of kind OpenAI by itself. Writing OpenAI over an upgraded account would be a roll-back. An
  // upgraded account allows projects, and nobody can forbid them again: so `allowProjectManagement` is left out here.
  kind: 'AIServices'
  sku: { name: 'S0' }
  properties: {
    customSubDomainName: name // without one, Azure OpenAI takes keys only
    disableLocalAuth: true
    publicNetworkAccess: 'Enabled'
  }

  resource model 'deployments' = {
    name: trim(last(parts))
    sku: {
      name: 'GlobalStandard'
      capacity: capacity
    }
    properties: {
      model: {
        format: 'OpenAI'
        name: trim(parts[0]) // without a version, Azure takes its default
      }
    }
  }
}

output name string = account.name
