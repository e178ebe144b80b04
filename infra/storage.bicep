// The place for the function's package and for the host's own keys and leases. The account has no keys that could leak.

@description('Name of the storage account: 3 to 24 small letters and digits.')
param name string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Object id of the identity that owns the blobs: the function.')
param principalId string

var roles = loadJsonContent('roles.json')

resource account 'Microsoft.Storage/storageAccounts@2026-04-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: {
    allowSharedKeyAccess: false
    allowBlobPublicAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
  }

  resource blobs 'blobServices' = {
    name: 'default'

    resource packages 'containers' = {
      name: 'packages'
    }
  }
}

resource owner 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, principalId, roles.storageBlobDataOwner)
  scope: account
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataOwner)
  }
}

output endpoint string = account.properties.primaryEndpoints.blob
output packages string = account::blobs::packages.name
output name string = account.name
