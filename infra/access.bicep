// The role of the function at the Azure OpenAI account, wherever that is: it may call models, and do nothing else.
// Microsoft's list of its actions has audio and images/generations. It names no images/edits: docs/deploying.md.

@description('Name of the account.')
param accountName string

@description('Object id of the function\'s identity, which may call models.')
param principalId string

@description('Object id of a person who may call models as well; empty: nobody.')
param personId string

var roles = loadJsonContent('roles.json')
var mayAsk = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.cognitiveServicesOpenAiUser)

resource account 'Microsoft.CognitiveServices/accounts@2026-05-01' existing = {
  name: accountName
}

resource user 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, principalId, roles.cognitiveServicesOpenAiUser)
  scope: account
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: mayAsk
  }
}

resource person 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(personId)) {
  name: guid(account.id, personId, roles.cognitiveServicesOpenAiUser)
  scope: account
  properties: {
    principalId: personId // no principalType: a pipeline's identity is no person
    roleDefinitionId: mayAsk
  }
}

// An account of kind AIServices names another host first. Not every client's v1 API is known to work with that host.
output endpoint string = replace(account.properties.endpoint, '.cognitiveservices.azure.com', '.openai.azure.com')
