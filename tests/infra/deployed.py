"""Checks the deployment in the compiler's snapshot. Each check yields defects."""

import json
import re
from collections.abc import Iterator
from typing import Any

from emulator.stack import ROOT
from tests.infra.checks import REFUSED_BY_FLEX

Resource = dict[str, Any]

PUBLISHING = "Microsoft.Web/sites/basicPublishingCredentialsPolicies"
SHUT = {  # type of resource: the properties that turn off passwords and shared keys; {}: it has neither
    "Microsoft.Resources/resourceGroups": {},
    "Microsoft.ManagedIdentity/userAssignedIdentities": {},
    "Microsoft.Authorization/roleAssignments": {},
    "Microsoft.Storage/storageAccounts": {
        "allowSharedKeyAccess": False,
        "allowBlobPublicAccess": False,
        "supportsHttpsTrafficOnly": True,
    },
    "Microsoft.Storage/storageAccounts/blobServices": {},
    "Microsoft.Storage/storageAccounts/tableServices": {},
    "Microsoft.Storage/storageAccounts/tableServices/tables": {},
    "Microsoft.Storage/storageAccounts/blobServices/containers": {},
    "Microsoft.OperationalInsights/workspaces": {"features.disableLocalAuth": True},
    "Microsoft.Insights/components": {"DisableLocalAuth": True},
    "Microsoft.Insights/workbooks": {},
    "Microsoft.CognitiveServices/accounts": {"disableLocalAuth": True},
    "Microsoft.CognitiveServices/accounts/deployments": {},
    "Microsoft.Web/serverfarms": {},
    "Microsoft.Web/sites": {"httpsOnly": True, "siteConfig.ftpsState": "Disabled"},
    "Microsoft.Web/sites/config": {},
    PUBLISHING: {"allow": False},
}
NAMES = {  # type: Azure's rule for the last part of a name (learn.microsoft.com, resource-name-rules)
    "Microsoft.Resources/resourceGroups": r"[\w.()-]{0,89}[\w()-]",
    "Microsoft.ManagedIdentity/userAssignedIdentities": r"[A-Za-z0-9][\w-]{2,127}",
    "Microsoft.Storage/storageAccounts": r"[a-z0-9]{3,24}",
    "Microsoft.Storage/storageAccounts/blobServices/containers": r"(?=.{3,63}$)[a-z0-9](-?[a-z0-9])+",
    "Microsoft.OperationalInsights/workspaces": r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]",
    "Microsoft.Insights/components": r"[^%&\\?/]{0,254}[^%&\\?/. ]",
    "Microsoft.CognitiveServices/accounts": r"[A-Za-z0-9][A-Za-z0-9-]{1,63}",
    "Microsoft.CognitiveServices/accounts/deployments": r"[A-Za-z0-9][\w.-]{0,62}[A-Za-z0-9_]",
    "Microsoft.Web/serverfarms": r"[\w-]{1,60}",
    "Microsoft.Web/sites": r"(?=.{2,43}$)[A-Za-z0-9](-?[A-Za-z0-9])+",  # Azure changes the host name of a longer one
}
REFUSED_PROPERTIES = {  # members of `siteConfig`; Flex Consumption has `functionAppConfig` in their place
    *("alwaysOn", "functionAppScaleLimit", "javaVersion", "linuxFxVersion", "minimumElasticInstanceCount"),
    *("netFrameworkVersion", "nodeVersion", "numberOfWorkers", "powerShellVersion", "preWarmedInstanceCount"),
    *("pythonVersion", "use32BitWorkerProcess", "vnetRouteAllEnabled", "windowsFxVersion"),
}
SECRETS = {  # setting: the values that Azure's record of a deployment may show
    "PROXY_KEY_SALT": ("[parameters('keySalt')]",),
    "PROXY_SIGNING_KEY": ("[parameters('signingKey')]", ""),
}
ROLES = json.loads((ROOT / "infra/roles.json").read_text())


def resources(snapshot: dict[str, Any], kind: str) -> list[Resource]:
    found: list[Resource] = [made for made in snapshot["predictedResources"] if made["type"] == kind]
    return found


def at(resource: Resource, path: str) -> Any:
    value: Any = resource.get("properties", {})
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def diagnostics(snapshot: dict[str, Any], person: str | None) -> Iterator[str]:
    yield from (str(said) for said in snapshot["diagnostics"])


def ways_in(snapshot: dict[str, Any], person: str | None) -> Iterator[str]:
    for made in snapshot["predictedResources"]:
        if made["type"] not in SHUT:
            yield f"{made['type']}: nobody has said how it is shut"
        for path, value in SHUT.get(made["type"], {}).items():
            if at(made, path) != value:
                yield f"{made['name']}: {path} is {at(made, path)}, not {value}"
    for site in resources(snapshot, "Microsoft.Web/sites"):
        shut = {policy["name"] for policy in resources(snapshot, PUBLISHING)}
        for name in sorted({f"{site['name']}/{way}" for way in ("scm", "ftp")} - shut):
            yield f"{name} may publish by password"


def roles(snapshot: dict[str, Any], person: str | None) -> Iterator[str]:
    """The function has each role at the role's own resource. Each assignment keeps the name of the first release,
    because Azure refuses a second name for the same role. The person who deploys may call a new account alone."""
    (identity,) = resources(snapshot, "Microsoft.ManagedIdentity/userAssignedIdentities")
    function = f"reference('{identity['id']}', '{identity['apiVersion']}').principalId"
    scopes = {
        "storageBlobDataOwner": resources(snapshot, "Microsoft.Storage/storageAccounts")[0]["id"],
        "monitoringMetricsPublisher": resources(snapshot, "Microsoft.Insights/components")[0]["id"],
        "cognitiveServicesOpenAiUser": openai_account(snapshot),
    }
    for table in resources(snapshot, "Microsoft.Storage/storageAccounts/tableServices/tables"):
        scopes["storageTableDataContributor"] = table["id"]
    wanted = {
        (f"guid('{scope}', {function}, '{ROLES[role]}')", f"[{function}]", role) for role, scope in scopes.items()
    }
    given = {
        (re.sub(r"^\[|\]$", "", made["name"]), at(made, "principalId"), role_of(made))
        for made in resources(snapshot, "Microsoft.Authorization/roleAssignments")
    }
    to_people = {assigned for assigned in given if not assigned[0].startswith("guid(")}
    yield from (f"missing: {role} named {name}" for name, _, role in wanted - given)
    yield from (f"one too many: {role} named {name}" for name, _, role in given - wanted - to_people)
    if {assigned[1:] for assigned in to_people} != ({(person, "cognitiveServicesOpenAiUser")} if person else set()):
        yield f"people get {sorted(assigned[1:] for assigned in to_people)}"
    for made in resources(snapshot, "Microsoft.Authorization/roleAssignments"):
        if at(made, "principalId") == person and not made["id"].startswith(f"{openai_account(snapshot)}/"):
            yield f"{person} gets a role at {made['id']}"


def role_of(assignment: Resource) -> str:
    guid = at(assignment, "roleDefinitionId").rsplit("/", 1)[1]
    return {value: name for name, value in ROLES.items()}.get(guid, guid)


def openai_account(snapshot: dict[str, Any]) -> str:
    """The resource id of the account that AZURE_OPENAI_BASE names."""
    (found,) = re.findall(r"'(/subscriptions/[^']*/accounts/[^']*)'", app_settings(snapshot)["AZURE_OPENAI_BASE"])
    return str(found)


def app_settings(snapshot: dict[str, Any]) -> dict[str, str]:
    (config,) = resources(snapshot, "Microsoft.Web/sites/config")
    found: dict[str, str] = config["properties"]
    return found


def settings(snapshot: dict[str, Any], person: str | None) -> Iterator[str]:
    for name, value in app_settings(snapshot).items():
        if REFUSED_BY_FLEX.fullmatch(name):
            yield f"{name}: Flex Consumption refuses it"
        if re.search(r"AccountKey=|listKeys|listSecrets", value, re.IGNORECASE):
            yield f"{name} holds a key"
    for site in resources(snapshot, "Microsoft.Web/sites"):
        refused = sorted(REFUSED_PROPERTIES & set(at(site, "siteConfig") or {}))
        yield from (f"siteConfig.{name}: Flex Consumption refuses it" for name in refused)
    for name, values in SECRETS.items():
        if app_settings(snapshot)[name] not in values:
            yield f"{name} is in the record of the deployment"


def names(snapshot: dict[str, Any], person: str | None) -> Iterator[str]:
    for made in snapshot["predictedResources"]:
        rule = NAMES.get(made["type"])
        if rule and not re.fullmatch(rule, made["name"].rsplit("/", 1)[-1]):
            yield f"{made['type']}: {made['name']} is no name for it"


def outputs(snapshot: dict[str, Any], person: str | None) -> Iterator[str]:
    """No output is a secret: azd writes outputs into a file, and Azure keeps them with the deployment."""
    for name, value in snapshot["outputs"].items():
        if "parameters(" in value or re.search(r"\blist\w+\(", value):
            yield f"output {name} is {value}"


CHECKS = (diagnostics, ways_in, roles, settings, names, outputs)


def defects(snapshot: dict[str, Any], person: str | None = None) -> list[str]:
    """`person` is the one who may call a new account."""
    return [defect for check in CHECKS for defect in check(snapshot, person)]
