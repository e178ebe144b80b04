// What the function may do at the Azure OpenAI account, wherever that is: ask, and nothing else.

@description('Name of the account.')
param accountName string

@description('Object id of the identity that may ask: the function.')
param principalId string

var roles = loadJsonContent('roles.json')

resource account 'Microsoft.CognitiveServices/accounts@2024-10-01' existing = {
  name: accountName
}

resource user 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, principalId, roles.cognitiveServicesOpenAiUser)
  scope: account
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.cognitiveServicesOpenAiUser)
  }
}

output endpoint string = account.properties.endpoint
