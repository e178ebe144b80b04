// What each signed key has used, and whose each stored response is: a table in the function's storage account. All that
// its role is for is this table.

@description('Name of the storage account.')
param accountName string

@description('Object id of the identity that reads and writes rows: the function.')
param principalId string

var roles = loadJsonContent('roles.json')

resource account 'Microsoft.Storage/storageAccounts@2026-04-01' existing = {
  name: accountName

  resource tables 'tableServices' = {
    name: 'default'

    resource usage 'tables' = {
      name: 'usage'
    }
  }
}

resource contributor 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account::tables::usage.id, principalId, roles.storageTableDataContributor)
  scope: account::tables::usage
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.storageTableDataContributor
    )
  }
}

output url string = '${account.properties.primaryEndpoints.table}${account::tables::usage.name}'
