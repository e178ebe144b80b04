// The place for the records of calls (queries: docs/usage.kql). Only the function's identity may write to it.

@description('Suffix that makes names unique.')
param token string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Object id of the identity that may write: the function.')
param principalId string

@description('Gigabytes a day; -1: no limit.')
param capGb int

var roles = loadJsonContent('roles.json')

resource logs 'Microsoft.OperationalInsights/workspaces@2025-07-01' = {
  name: 'log-${token}'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: 30 // Azure keeps a month without extra cost
    workspaceCapping: { dailyQuotaGb: capGb }
    features: { disableLocalAuth: true }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-${token}'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: logs.id
    DisableLocalAuth: true
  }
}

resource publisher 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(insights.id, principalId, roles.monitoringMetricsPublisher)
  scope: insights
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.monitoringMetricsPublisher
    )
  }
}

module workbook 'workbook.bicep' = {
  params: {
    location: location
    tags: tags
    insightsId: insights.id
  }
}

output connectionString string = insights.properties.ConnectionString
