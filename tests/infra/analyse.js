// Microsoft's own analyser of Kusto queries: syntax, names and types, without a network and without a cluster.
//   NODE_PATH=DIR node analyse.js     reads a JSON list of queries, writes a JSON list of what is wrong with each
const fs = require('fs'), path = require('path'), vm = require('vm')
const home = path.dirname(require.resolve('@kusto/language-service-next/package.json'))
for (const file of ['bridge.min.js', 'Kusto.Language.Bridge.min.js']) // they define the globals System and Kusto
  vm.runInThisContext(fs.readFileSync(path.join(home, file), 'utf8'), { filename: file })

// The columns of `traces` in Application Insights that matter here (not those of the workspace's AppTraces).
const traces = Kusto.Language.Symbols.TableSymbol.From(
  '(timestamp:datetime, message:string, severityLevel:int, itemType:string, itemId:string, customDimensions:dynamic, ' +
  'operation_Name:string, operation_Id:string, operation_ParentId:string, cloud_RoleName:string, cloud_RoleInstance:string)')
const database = new Kusto.Language.Symbols.DatabaseSymbol.ctor('ApplicationInsights', [traces.WithName('traces')])
const globals = Kusto.Language.GlobalState.Default.WithDatabase(database)

const faults = query => {
  const found = Kusto.Language.KustoCode.ParseAndAnalyze(query, globals).GetDiagnostics()
  return Array.from({ length: System.Array.getCount(found, Kusto.Language.Diagnostic) }, (_, index) => {
    const { Severity, Code, Start, Length } = System.Array.getItem(found, index, Kusto.Language.Diagnostic)
    return `${Severity} ${Code} at ${query.substr(Start, Length)}`
  })
}
console.log(JSON.stringify(JSON.parse(fs.readFileSync(0, 'utf8')).map(faults)))
