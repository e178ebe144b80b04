"""The files of `azd up` agree with each other, with the function and with docs/."""

import re
import shutil
from pathlib import Path

import pytest

from emulator.stack import ROOT
from tests.infra.checks import CHECKS, Infrastructure, defects

FAULTS = {  # name of a check: faults of its kind, each (file, text, replacement, words of the defect)
    "symbols": [
        (
            "infra/group.bicep",
            "principalId: identity.properties",
            "principalId: idntity.properties",
            "idntity is declared",
        ),
        ("infra/group.bicep", "${app.outputs.host}", "${web.outputs.host}", "web is declared nowhere"),
        ("infra/group.bicep", "storage.outputs.packages", "storage.outputs.container", "storage.bicep has no output"),
        ("infra/access.bicep", "roles.cognitiveServicesOpenAiUser)", "roles.contributor)", "has no contributor"),
        ("infra/storage.bicep", "account::blobs", "acount::blobs", "acount is declared nowhere"),
    ],
    "uses": [
        ("infra/function.bicep", "maximumInstanceCount: maximumInstances", "", "maximumInstances is used nowhere"),
        (
            "infra/function.bicep",
            "@description('App settings without the secret ones.')",
            "",
            "settings has no description",
        ),
        ("infra/group.bicep", "module monitoring 'monitoring.bicep'", "module monitoring 'storage.bicep'", "uses it"),
        ("infra/roles.json", "{\n", '{\n "owner": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",\n', "nobody is given owner"),
    ],
    "modules": [
        ("infra/group.bicep", "    packages: storage.outputs.packages\n", "", "app does not give packages"),
        ("infra/group.bicep", "    packages: storage", "    container: storage", "app gives container"),
        ("infra/main.bicep", "'group.bicep'", "'br/public:avm/res/web/site:0.15.1'", "which is no file of infra/"),
        (
            "infra/workbook.bicep",
            "Content('../docs/usage",
            "Content('../docs/queries",
            "there is no ../docs/queries.kql",
        ),
    ],
    "variables": [
        ("docs/deploying.md", "`HTTP_CONCURRENCY", "`CONCURRENCY", "deploying.md does not name HTTP_CONCURRENCY"),
    ],
    "roles": [
        (
            *("infra/access.bicep", "roles.cognitiveServicesOpenAiUser)\n  scope"),
            *("'5e0bd9bd-7b93-4f28-af87-19fc36ad61bd')\n  scope", "belongs into roles.json"),
        ),
        ("infra/roles.json", "5e0bd9bd-", "5e0bd9b-", "cognitiveServicesOpenAiUser is no role id"),
    ],
    "entry_points": [
        (
            "infra/main.bicep",
            "param httpConcurrency int = 100",
            "param httpConcurrency int = 1",
            "httpConcurrency differs",
        ),
        ("infra/main.bicep", "output AZURE_RESOURCE_GROUP", "output GROUP", "output GROUP is in one of"),
        ("infra/main.parameters.json", '"maxBodyMb"', '"maxBody"', "main.parameters.json: maxBody"),
        ("infra/group.parameters.json", "${HTTP_CONCURRENCY=100}", "${CONCURRENCY=100}", "differ"),
    ],
    "secrets": [
        (
            "infra/main.bicep",
            "param keySalt string",
            "param keySalt string = ''",
            "main.bicep: azd does not make keySalt",
        ),
        ("infra/group.bicep", "type: 'generate'", "type: 'location'", "group.bicep: azd does not make keySalt"),
        (
            *("infra/main.bicep", "param signingKey string", "param signingKey string = ''"),
            "main.bicep: azd does not make signingKey",
        ),
    ],
    "models": [
        (
            "docs/settings.md",
            "`gpt-5-mini,gpt-5=my-5-deployment`",
            "`gpt-4o-mini,gpt-4o=x`",
            "settings.md names gpt-4o-m",
        ),
        ("infra/main.bicep", "my-deployment, or", "gpt-4.1, or", "main.bicep names gpt-4.1"),
        ("docs/usage.kql", '"gpt-5"', '"gpt-4"', "usage.kql names gpt-4"),
        ("local.settings.json.example", "gpt-5-mini", "gpt-35-turbo", "example names gpt-35-turbo"),
    ],
    "azd": [
        ("azure.yaml", 'azd: ">= 1.25.0"', 'bicep: ">= 0.30"', "does not say which azd it needs"),
        ("azure.yaml", "remoteBuild: true", "remoteBuild: false", "proxy may be built here"),
        ("infra/function.bicep", "'azd-service-name': 'proxy'", "'azd-service-name': 'api'", "but tags say ['api']"),
        ("azure.yaml", "module: main", "module: subscription", "infra.module is none of main, group"),
        ("azure.yaml", "./infra/write-env.ps1", "./infra/write_env.ps1", "there is no ./infra/write_env.ps1"),
        ("infra/write-env.sh", '"$PROXY_BASE_URL"', '"$PROXY_URL"', "main.bicep has no output PROXY_URL"),
    ],
    "settings": [
        (
            "function_app.py",
            "import logging\n",
            "import logging\nNEW = 'PROXY_NEW'\n",
            "PROXY_NEW: only the function reads",
        ),
        (
            "infra/group.bicep",
            "      PROXY_MAX_BODY_MB: maxBodyMb\n",
            "",
            "PROXY_MAX_BODY_MB: only the function reads and s",
        ),
        (
            "infra/group.bicep",
            "PROXY_MAX_BODY_MB: maxB",
            "PROXY_MAX_BODY: maxB",
            "PROXY_MAX_BODY: only group.bicep sets it",
        ),
        ("docs/settings.md", "| `AZURE_OPENAI_SCOPE` |", "| `AZURE_SCOPE` |", "AZURE_SCOPE: only settings.md lists it"),
        (
            "infra/group.bicep",
            "      PROXY_MAX",
            "      FUNCTIONS_WORKER_RUNTIME: 'python'\n      PROXY_MAX",
            "refuses it",
        ),
    ],
    "parsing": [("infra/storage.bicep", "kind: 'StorageV2'", "kind 'StorageV2'", "storage.bicep cannot be parsed")],
}


def test_nothing_is_wrong() -> None:
    assert defects(ROOT) == []


def test_every_kind_of_fault_is_planted() -> None:
    assert set(FAULTS) == {check.__name__ for check in CHECKS} | {"parsing"}


@pytest.mark.parametrize(("file", "text", "becomes", "said"), [fault for faults in FAULTS.values() for fault in faults])
def test_a_planted_fault_is_named(tmp_path: Path, file: str, text: str, becomes: str, said: str) -> None:
    for part in ("azure.yaml", "function_app.py", "local.settings.json.example"):
        shutil.copy(ROOT / part, tmp_path)
    for folder in ("infra", "proxy", "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    original = (tmp_path / file).read_text(encoding="utf-8")
    assert text in original
    (tmp_path / file).write_text(original.replace(text, becomes, 1), encoding="utf-8")
    assert any(said in defect for defect in defects(tmp_path))


def test_no_key_opens_anything() -> None:
    templates = {
        name: re.sub(r"\s+", " ", template.path.read_text())
        for name, template in Infrastructure(ROOT).templates.items()
    }
    assert "allowSharedKeyAccess: false allowBlobPublicAccess: false" in templates["storage.bicep"]
    assert "DisableLocalAuth: true" in templates["monitoring.bicep"]
    assert "features: { disableLocalAuth: true }" in templates["monitoring.bicep"]
    assert "disableLocalAuth: true" in templates["account.bicep"]
    assert "httpsOnly: true" in templates["function.bicep"]
    assert templates["function.bicep"].count("properties: { allow: false }") == 2
    assert not [
        name for name, text in templates.items() if re.search(r"\blist(Keys|\w*Secrets?)\b", text, re.IGNORECASE)
    ]
