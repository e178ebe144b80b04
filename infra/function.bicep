// The function app, on Flex Consumption: it grows with the calls, and costs nothing without calls.

@description('Suffix that makes names unique.')
param token string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Resource id of the function\'s identity.')
param identityId string

@description('Blob endpoint of the storage account; it ends in a slash.')
param storageEndpoint string

@description('Name of the container for the code.')
param packages string

// Flex Consumption gives a Python instance 1 call at a time: 30 callers would start 30 instances, each with a cold
// start. This function waits for Azure nearly all the time. A streamed answer of 4 s and 200 frames took 13 ms of CPU
// (`python -m benchmarks`), so 100 calls at once take a third of the core of a 2,048 MB instance, and under 100 MB.
@description('Calls that one instance serves at once.')
param httpConcurrency int

@description('Instances that never stop.')
param alwaysReadyInstances int

@description('About the most instances at once.')
param maximumInstances int

@description('App settings without the secret ones.')
param settings object

@description('Origins whose pages may call, with commas.')
param corsOrigins string

@description('PROXY_KEY_SALT.')
@secure()
param keySalt string

@description('Whether signed keys are on.')
param signedKeys bool

@description('PROXY_SIGNING_KEY, where signed keys are on.')
@secure()
param signingKey string

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: 'plan-${token}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: 'func-${token}'
  location: location
  tags: union(tags, { 'azd-service-name': 'proxy' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId // a signing key may be in a vault; the app has no identity of its own
    siteConfig: {
      ftpsState: 'Disabled'
      minTlsVersion: '1.2'
      cors: {
        allowedOrigins: filter(map(split(corsOrigins, ','), origin => trim(origin)), origin => !empty(origin))
        supportCredentials: false // keys are no cookies
      }
    }
    functionAppConfig: {
      runtime: {
        name: 'python'
        version: '3.13' // older versions need PYTHON_ENABLE_INIT_INDEXING for streams
      }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${storageEndpoint}${packages}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: 2048
        maximumInstanceCount: maximumInstances
        alwaysReady: alwaysReadyInstances == 0 ? [] : [{ name: 'http', instanceCount: alwaysReadyInstances }]
        triggers: {
          http: { perInstanceConcurrency: httpConcurrency }
        }
      }
      // Otherwise a deployment, or a change of a setting, cuts every stream of a class. This is a public preview: the
      // API has it, and the compiler's types do not.
      #disable-next-line BCP037
      siteUpdateStrategy: { type: 'RollingUpdate' }
    }
  }

  resource appSettings 'config' = {
    name: 'appsettings'
    properties: union(settings, { PROXY_KEY_SALT: keySalt, PROXY_SIGNING_KEY: signedKeys ? signingKey : '' })
  }

  // A publishing password opens the code, and with it the identity. azd publishes with the person's own account.
  resource scm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }

  resource ftp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }
}

output name string = app.name
output host string = app.properties.defaultHostName
