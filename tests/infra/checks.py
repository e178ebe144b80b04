"""Checks azure.yaml and infra/ without Azure and without a compiler. Each check yields defects."""

import ast
import json
import re
from collections.abc import Iterator
from functools import cache, cached_property
from pathlib import Path

import yaml

from tests.infra.bicep import Declaration, Template, entries

ENTRIES = ("main", "group")  # the templates that azd may deploy
OF_AZD = {"AZURE_SUBSCRIPTION_ID"}  # azd gives it to hooks, beside the outputs
ALIKE_BUT_FOR = {"environmentName"}  # its description differs between the two templates
OF_THE_PLATFORM = (
    "AzureWebJobsStorage__",
    "APPLICATIONINSIGHTS_",
    "FUNCTIONS_",
    "OTEL_",
    "PYTHON_",
)  # the function never reads them
REFUSED_BY_FLEX = re.compile(  # learn.microsoft.com, functions-app-settings: "Flex Consumption plan deprecations"
    r"(WEBSITE_|SCM_)\w+|ENABLE_ORYX_BUILD|FUNCTIONS_(EXTENSION_VERSION|WORKER_\w+|MAX_HTTP_CONCURRENCY)"
)
RETIRED = re.compile(r"gpt-(35|3\.5|4o|4\.1|4)(-mini|-nano|-turbo)?\b")  # by October 2026, whatever the version
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
SETTING = re.compile(r"(AZURE|PROXY)_[A-Z_]+")


class Infrastructure:
    """The files below `root`. Raises ValueError where one cannot be parsed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.templates = {path.name: Template(path) for path in sorted((root / "infra").glob("*.bicep"))}
        self.azd = yaml.safe_load((root / "azure.yaml").read_text(encoding="utf-8"))
        self.roles = json.loads((root / "infra/roles.json").read_text(encoding="utf-8"))

    def parameters(self, entry: str) -> dict[str, object]:
        found: dict[str, object] = json.loads((self.root / f"infra/{entry}.parameters.json").read_text())["parameters"]
        return found

    @cached_property
    def variables(self) -> dict[str, str]:
        """Parameter: the azd variable that gives its value."""
        return {name: re.findall(r"\$\{(\w+)", str(value))[0] for name, value in self.parameters("main").items()}

    @cached_property
    def settings(self) -> set[str]:
        """The app settings that the templates give to the function. function.bicep gives the secret ones."""
        (app,) = (module for module in self.templates["group.bicep"].of("module").values() if module.name == "app")
        function = self.templates["function.bicep"].path.read_text(encoding="utf-8")
        added = re.findall(r"(\w+):", re.findall(r"union\(settings, \{([^}]*)\}", function)[0])
        return {*entries(app.tree, "params", "settings"), *added}

    @cached_property
    def read(self) -> set[str]:
        """The settings that the function's code names."""
        files = [self.root / "function_app.py", *(self.root / "proxy").glob("*.py")]
        return {name for file in files for name in settings_in(file.read_text(encoding="utf-8"))}

    @cached_property
    def listed(self) -> set[str]:
        """The settings in the table of docs/settings.md."""
        text = (self.root / "docs/settings.md").read_text(encoding="utf-8")
        cells = re.findall(r"^\| (`[^|]*`) \|", text.partition("\n## ")[0], re.MULTILINE)
        return {name for cell in cells for name in re.findall(r"`([A-Z_]+)`", cell)}


@cache  # planted faults never change the code
def settings_in(code: str) -> set[str]:
    nodes = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)]
    return {node.value for node in nodes if isinstance(node.value, str) and SETTING.fullmatch(node.value)}


def defects(root: Path) -> list[str]:
    try:
        infrastructure = Infrastructure(root)
    except ValueError as error:
        return [str(error)]
    return [defect for check in CHECKS for defect in check(infrastructure)]


def symbols(infra: Infrastructure) -> Iterator[str]:
    for file, template in infra.templates.items():
        declared = template.of("param", "var", "resource", "module", "child_resource")
        for path in sorted(set(template.references)):
            if path[0] not in declared:
                yield f"{file}: {path[0]} is declared nowhere"
            elif declared[path[0]].kind == "module" and path[1:2] == ("outputs",):
                target = called(infra, declared[path[0]])
                if target and path[2] not in target.of("output"):
                    yield f"{file}: {target.path.name} has no output {path[2]}"
            elif path[0] == "roles" and path[1] not in infra.roles:
                yield f"{file}: roles.json has no {path[1]}"


def uses(infra: Infrastructure) -> Iterator[str]:
    for file, template in infra.templates.items():
        used = {path[0] for path in template.references}
        for name, declared in template.of("param", "var").items():
            if name not in used:
                yield f"{file}: {name} is used nowhere"
            if declared.kind == "param" and not declared.description:
                yield f"{file}: {name} has no description"
    files = {*(f"{entry}.bicep" for entry in ENTRIES)}
    files |= {source(module) for template in infra.templates.values() for module in template.of("module").values()}
    yield from (f"{file}: no template uses it" for file in infra.templates.keys() - files)
    role_names = {
        path[1] for template in infra.templates.values() for path in template.references if path[0] == "roles"
    }
    yield from (f"roles.json: nobody is given {name}" for name in infra.roles.keys() - role_names)


def modules(infra: Infrastructure) -> Iterator[str]:
    for file, template in infra.templates.items():
        text = template.path.read_text(encoding="utf-8")
        for loaded in re.findall(r"\bload\w+Content\('([^']*)'", text):
            if not (template.path.parent / loaded).is_file():
                yield f"{file}: there is no {loaded}"
        for name, module in template.of("module").items():
            target, given = called(infra, module), set(entries(module.tree, "params"))
            if target is None:
                yield f"{file}: {name} is {source(module)}, which is no file of infra/"
                continue
            wanted = target.of("param")
            required = {param for param, declared in wanted.items() if not declared.has_default}
            yield from (
                f"{file}: {name} gives {param}, which {source(module)} lacks" for param in given - wanted.keys()
            )
            yield from (f"{file}: {name} does not give {param} to {source(module)}" for param in required - given)


def roles(infra: Infrastructure) -> Iterator[str]:
    for file, template in infra.templates.items():
        for text in template.literals():
            if GUID.search(text):
                yield f"{file}: {text} belongs into roles.json"
    for name, role in infra.roles.items():
        if not GUID.fullmatch(role):
            yield f"roles.json: {name} is no role id"


def entry_points(infra: Infrastructure) -> Iterator[str]:
    """main.bicep and group.bicep have the same parameters and outputs, from the same azd variables."""
    main, group = (infra.templates[f"{entry}.bicep"] for entry in ENTRIES)
    for kind in ("param", "output"):
        ours, theirs = main.of(kind), group.of(kind)
        yield from (f"{kind} {name} is in one of main.bicep, group.bicep only" for name in ours.keys() ^ theirs.keys())
        for name in ours.keys() & theirs.keys() - ALIKE_BUT_FOR if kind == "param" else ():
            if ours[name].text != theirs[name].text:
                yield f"param {name} differs between main.bicep and group.bicep"
    for entry in ENTRIES:
        known = infra.templates[f"{entry}.bicep"].of("param").keys()
        yield from (f"{entry}.parameters.json: {name}" for name in infra.parameters(entry).keys() ^ known)
    if infra.parameters("main") != infra.parameters("group"):
        yield "main.parameters.json and group.parameters.json differ"


def secrets(infra: Infrastructure) -> Iterator[str]:
    """azd generates each secret. It does so only where the parameter has no default (azure-dev, prompt.go:
    autoGenerate)."""
    for entry in ENTRIES:
        for name, declared in infra.templates[f"{entry}.bicep"].of("param").items():
            if "secure" in declared.text.split() and (declared.has_default or "'generate'" not in declared.text):
                yield f"{entry}.bicep: azd does not make {name}"


def models(infra: Infrastructure) -> Iterator[str]:
    """The texts that people copy for a deployment name no model that Azure has retired."""
    pages = [infra.root / f"docs/{name}" for name in ("deploying.md", "settings.md", "usage.kql")]
    files = [*infra.root.glob("infra/*.*"), *pages, infra.root / "local.settings.json.example"]
    texts = {file.name: file.read_text(encoding="utf-8") for file in files}
    yield from (f"{name} names {model[0]}" for name, text in texts.items() for model in [RETIRED.search(text)] if model)


def azd(infra: Infrastructure) -> Iterator[str]:
    if infra.azd["infra"]["module"] not in ENTRIES:
        yield f"azure.yaml: infra.module is none of {', '.join(ENTRIES)}"
    if not infra.azd.get("requiredVersions", {}).get("azd", "").startswith(">="):
        yield "azure.yaml does not say which azd it needs: an old one deletes groups that are not ours"
    yield from (
        f"azure.yaml: {name} may be built here, for another system and Python"
        for name, service in infra.azd["services"].items()
        if service.get("remoteBuild") is not True
    )
    text = "".join(template.path.read_text(encoding="utf-8") for template in infra.templates.values())
    tagged = set(re.findall(r"'azd-service-name': '([^']*)'", text))
    if tagged != set(infra.azd["services"]):
        yield f"azure.yaml: services {sorted(infra.azd['services'])}, but tags say {sorted(tagged)}"
    known = OF_AZD | infra.templates["main.bicep"].of("output").keys() | set(infra.variables.values())
    for hook in infra.azd["hooks"].values():
        for system in hook.values():
            script = infra.root / system["run"]
            if not script.is_file():
                yield f"azure.yaml: there is no {system['run']}"
                continue
            asked = set(re.findall(r"\$(?:env:)?((?:AZURE|PROXY)_\w+)", script.read_text(encoding="utf-8")))
            yield from (f"{script.name}: main.bicep has no output {name}" for name in asked - known)


def variables(infra: Infrastructure) -> Iterator[str]:
    """docs/deploying.md names each variable that `azd env set` may set. azd itself asks for name and location."""
    text = (infra.root / "docs/deploying.md").read_text(encoding="utf-8")
    for parameter, variable in infra.variables.items():
        if parameter not in ("environmentName", "location") and f"`{variable}" not in text:
            yield f"deploying.md does not name {variable}"


def settings(infra: Infrastructure) -> Iterator[str]:
    given = {name for name in infra.settings if not name.startswith(OF_THE_PLATFORM)}
    listed = {name for name in infra.listed if not name.startswith(OF_THE_PLATFORM)}
    everywhere = {"the function reads": infra.read, "group.bicep sets": given, "settings.md lists": listed}
    for name in sorted(infra.read | given | listed):
        where = [place for place, names in everywhere.items() if name in names]
        if len(where) < len(everywhere):
            yield f"{name}: only {' and '.join(where)} it"
    yield from (f"{name}: Flex Consumption refuses it" for name in infra.settings if REFUSED_BY_FLEX.fullmatch(name))


def source(module: Declaration) -> str:
    (path,) = module.tree.find_data("module_path")
    return str(path.children[0]).strip("'")


def called(infra: Infrastructure, module: Declaration) -> Template | None:
    return infra.templates.get(source(module))


CHECKS = (symbols, uses, modules, roles, entry_points, secrets, models, azd, variables, settings)
