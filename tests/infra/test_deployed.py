"""Golden files show what `azd up` makes in Azure. Microsoft's Bicep compiler evaluates it."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
import yaml

from tests.golden import assert_golden
from tests.infra.compiler import OTHER_SUBSCRIPTION, SUBSCRIPTION, asking, copy_of_infra, snapshot
from tests.infra.deployed import CHECKS, ROLES, app_settings, defects, resources

PERSON = "00000000-0000-0000-0000-00000000000a"
EXISTING = {
    "AZURE_ENV_NAME": "spring-course",
    "AZURE_LOCATION": "swedencentral",
    "AZURE_PRINCIPAL_ID": PERSON,
    "AZURE_OPENAI_ACCOUNT": "my-resource",
    "AZURE_OPENAI_RESOURCE_GROUP": "rg-openai",
    "AZURE_OPENAI_DEPLOYMENT": "gpt-5-mini",
    "PROXY_KEY_SALT": "made-by-azd-and-known-to-nobody-x",
    "PROXY_SIGNING_KEY": "made-by-azd-and-known-to-nobody-y",
}
NEW = EXISTING | {
    "AZURE_OPENAI_CREATE": "true",
    "AZURE_OPENAI_RESOURCE_GROUP": "rg-spring-course",
    "AZURE_OPENAI_DEPLOYMENT": "gpt-5-mini=small|large,gpt-5",
    "AZURE_OPENAI_CAPACITY": "200",
    "ALWAYS_READY_INSTANCES": "2",
    "MAXIMUM_INSTANCES": "5",
    "LOG_CAP_GB": "-1",
}
VARIABLES = {  # case: azd's variables; each case has a golden file
    "existing": EXISTING,
    "new": NEW,
    "signed_keys": EXISTING
    | {"SIGNED_KEYS": "true", "PROXY_REVOKED_KEYS": "Eve", "PROXY_HEALTH": "true"}
    | {"CORS_ORIGINS": "https://course.example.edu, http://localhost:8000,"},
    "another_subscription": EXISTING | {"AZURE_OPENAI_SUBSCRIPTION": OTHER_SUBSCRIPTION},
}
WITH_PERSON = {"new": PERSON}
Deployed = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def deployed(compiler: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """`deployed(case, entry="main")` is what `azd up` makes."""
    infra = copy_of_infra(tmp_path_factory.mktemp("deployed"))
    with asking() as ask:

        @cache
        def of(case: str, entry: str = "main") -> dict[str, Any]:
            return snapshot(ask, infra, entry, VARIABLES[case] | {"AZURE_RESOURCE_GROUP": "rg-spring-course"})

        yield of


@pytest.mark.parametrize("case", VARIABLES)
def test_no_key_opens_anything_and_every_role_is_at_its_place(case: str, deployed: Deployed) -> None:
    assert defects(deployed(case), WITH_PERSON.get(case)) == []


@pytest.mark.parametrize("case", VARIABLES)
def test_a_change_of_the_infrastructure_shows_in_a_golden_file(case: str, deployed: Deployed) -> None:
    assert_golden(f"infra/{case}.yaml", as_text(deployed(case)))


def test_the_group_variant_makes_the_same_in_a_group_that_is_there(deployed: Deployed) -> None:
    whole, filled = deployed("existing"), deployed("existing", "group")
    token = re.compile(r"\b(id-|st|log-|appi-|plan-|func-)\w{13}\b|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
    as_made = [made for made in whole["predictedResources"] if made["type"] != "Microsoft.Resources/resourceGroups"]
    assert token.sub("", json.dumps(as_made)) == token.sub("", json.dumps(filled["predictedResources"]))
    assert whole["outputs"].keys() == filled["outputs"].keys()


def test_an_account_in_another_subscription_is_the_only_thing_there(deployed: Deployed) -> None:
    text = json.dumps(deployed("another_subscription"))
    there = set(re.findall(rf"/subscriptions/{OTHER_SUBSCRIPTION}/[^']*", text))
    whole = f"/subscriptions/{OTHER_SUBSCRIPTION}"
    account = f"{whole}/resourceGroups/rg-openai/providers/Microsoft.CognitiveServices/accounts/my-resource"
    role = f"{whole}/providers/Microsoft.Authorization/roleDefinitions/"
    assert there
    assert not [name for name in there if not name.startswith((account, role))]


def test_no_deployment_opens_routes_that_nobody_asked_for(deployed: Deployed) -> None:
    """azd makes a signing key in every environment. The function gets it only where SIGNED_KEYS is true."""
    given = {case: app_settings(deployed(case))["PROXY_SIGNING_KEY"] for case in VARIABLES}
    assert given.pop("signed_keys") == "[parameters('signingKey')]"
    assert set(given.values()) == {""}


def of(kind: str, name: str = "") -> Callable[[dict[str, Any]], dict[str, Any]]:
    def find(whole: dict[str, Any]) -> dict[str, Any]:
        return next(made for made in resources(whole, f"Microsoft.{kind}") if made["name"].endswith(name))

    return find


def put(find: Callable[[dict[str, Any]], dict[str, Any]], path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """A fault that sets the value at `path` of a resource, or removes it where `value` is None."""

    def change(whole: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        place = find(whole)
        for part in parents:
            place = place[part]
        if value is None:
            del place[last]
        else:
            place[last] = value

    return change


def drop(find: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[dict[str, Any]], None]:
    return lambda whole: whole["predictedResources"].remove(find(whole))


ROLE = of("Authorization/roleAssignments", "'b7e6dc6d-f1e8-4753-8033-0f276bb0955b')]")


def of_the_person(whole: dict[str, Any]) -> dict[str, Any]:
    assigned = resources(whole, "Microsoft.Authorization/roleAssignments")
    return next(made for made in assigned if made["properties"]["principalId"] == PERSON)


SETTINGS = of("Web/sites/config")
FAULTS: dict[str, list[tuple[Callable[[dict[str, Any]], None], str]]] = {  # a check: (fault, words of the defect)
    "diagnostics": [(lambda whole: whole["diagnostics"].append("odd"), "odd")],
    "ways_in": [
        (put(of("Storage/storageAccounts"), "properties.allowSharedKeyAccess", None), "allowSharedKeyAccess is None"),
        (put(of("OperationalInsights/workspaces"), "properties.features", None), "features.disableLocalAuth is None"),
        (put(of("Insights/components"), "properties.DisableLocalAuth", False), "DisableLocalAuth is False"),
        (put(of("CognitiveServices/accounts"), "properties.disableLocalAuth", False), "disableLocalAuth is False"),
        (put(of("Web/sites"), "properties.siteConfig", None), "siteConfig.ftpsState is None"),
        (put(of("Web/sites/basicPublishingCredentialsPolicies"), "properties.allow", True), "allow is True"),
        (drop(of("Web/sites/basicPublishingCredentialsPolicies", "/scm")), "/scm may publish by password"),
        (put(of("Web/serverfarms"), "type", "Microsoft.KeyVault/vaults"), "nobody has said how it is shut"),
    ],
    "roles": [
        (drop(ROLE), "missing: storageBlobDataOwner"),
        (put(ROLE, "name", "[guid('another name')]"), "one too many: storageBlobDataOwner named guid('another name')"),
        (put(ROLE, "properties.principalId", f"[{PERSON}]"), "missing: storageBlobDataOwner"),
        (put(ROLE, "properties.roleDefinitionId", "/x/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"), "one too many: 8e3af657"),
        (drop(of_the_person), "people get []"),
        (
            put(of_the_person, "id", f"/subscriptions/{SUBSCRIPTION}/providers/x"),
            f"{PERSON} gets a role at /subscriptions/",
        ),
        (put(of_the_person, "properties.roleDefinitionId", "/x/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"), "8e3af657"),
    ],
    "settings": [
        (put(SETTINGS, "properties.FUNCTIONS_WORKER_RUNTIME", "python"), "FUNCTIONS_WORKER_RUNTIME: Flex Consumption"),
        (put(SETTINGS, "properties.WEBSITE_RUN_FROM_PACKAGE", "1"), "WEBSITE_RUN_FROM_PACKAGE: Flex Consumption"),
        (
            put(of("Web/sites"), "properties.siteConfig.linuxFxVersion", "Python|3.13"),
            "siteConfig.linuxFxVersion: Flex",
        ),
        (put(SETTINGS, "properties.AzureWebJobsStorage", "x;AccountKey=y"), "AzureWebJobsStorage holds a key"),
        (put(SETTINGS, "properties.PROXY_KEY_SALT", NEW["PROXY_KEY_SALT"]), "PROXY_KEY_SALT is in the record"),
        (put(SETTINGS, "properties.PROXY_SIGNING_KEY", NEW["PROXY_SIGNING_KEY"]), "PROXY_SIGNING_KEY is in the record"),
    ],
    "names": [
        (put(of("Storage/storageAccounts"), "name", "st-with-dashes"), "st-with-dashes is no name for it"),
        (put(of("Web/sites"), "name", "func-" + "x" * 39), "x is no name for it"),
        (put(of("Resources/resourceGroups"), "name", "rg-" + "x" * 88), "x is no name for it"),
    ],
    "outputs": [(lambda whole: whole["outputs"].update(SALT="[parameters('keySalt')]"), "output SALT")],
}


def test_every_kind_of_fault_is_planted() -> None:
    assert list(FAULTS) == [check.__name__ for check in CHECKS]


@pytest.mark.parametrize(("plant", "said"), [fault for faults in FAULTS.values() for fault in faults])
def test_a_planted_fault_is_named(plant: Callable[[dict[str, Any]], None], said: str, deployed: Deployed) -> None:
    whole = copy.deepcopy(deployed("new"))
    plant(whole)
    assert any(said in defect for defect in defects(whole, PERSON))


def as_text(whole: dict[str, Any]) -> str:
    """The snapshot as YAML. A resource's id becomes subscription, group, type and name: `<2 rg-x Web/sites/func-x>`. A
    role's id becomes its name, and a workbook its titles."""
    whole = copy.deepcopy(whole)
    for made in whole["predictedResources"]:
        if made["id"].startswith("["):
            del made["id"]  # it repeats the name
        if made["type"] == "Microsoft.Insights/workbooks":
            items = json.loads(made["properties"]["serializedData"])["items"]
            made["properties"]["serializedData"] = [item["content"]["title"] for item in items]
    whole["outputs"] = dict(sorted(whole["outputs"].items()))  # the compiler orders them at random
    text = yaml.safe_dump(whole, sort_keys=False, width=10_000)
    for name, guid in ROLES.items():
        text = text.replace(guid, name)
    return re.sub(
        r"/subscriptions/[0-9a-f-]*(\d)(?:/resourceGroups/([\w-]+))?(?:/providers/Microsoft\.([\w./-]+))?",
        lambda part: f"<{' '.join(filter(None, part.groups()))}>",
        text,
    )
