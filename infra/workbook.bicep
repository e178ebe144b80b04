// The queries of docs/usage.kql on one page: in the portal, Application Insights → Workbooks → Use of the proxy.

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Resource id of the Application Insights with the records.')
param insightsId string

var parts = split(loadTextContent('../docs/usage.kql'), '## ')
var queries = map(skip(parts, 1), part => {
  type: 3 // a query
  content: {
    version: 'KqlItem/1.0'
    title: trim(split(part, '\n')[0])
    query: '${parts[0]}${part}' // the first part ends in `// `
    queryType: 0
    resourceType: 'microsoft.insights/components'
    timeContext: { durationMs: 2592000000 } // 30 days
    size: 0
  }
})

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(insightsId, 'use of the proxy')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Use of the proxy'
    category: 'workbook'
    sourceId: insightsId
    serializedData: string({ version: 'Notebook/1.0', items: queries })
  }
}
