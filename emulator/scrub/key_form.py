"""Keys with a form of their own. Their issuers print a mark into them so that scanners find them anywhere.

Microsoft's forms come from github.com/microsoft/security-utilities. Other services document theirs for GitHub's secret
scanning. A key without a form (32 hexadecimal digits, 40 letters) is found by the name beside it: `secret.RULES`.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

GUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"


class Form(NamedTuple):
    """`needle` is in every such key, in small letters, so that one quick search rules most texts out. `looks_back`
    means that the pattern itself checks the text before the key."""

    of: str
    needle: str
    pattern: str
    looks_back: bool = False


def _begins(of: str, prefixes: str, rest: str) -> Iterator[Form]:
    """One form for each prefix. The pattern finds the prefix first and then checks that no word ends with it, which is
    much faster than the reverse."""
    for prefix in prefixes.split():
        literal = re.escape(prefix)
        yield Form(of, prefix.lower(), rf"{literal}(?<![\w-]{literal}){rest}", looks_back=True)


AZURE = (  # after 32 bytes in base64 the mark is at 33, after 64 at 76, in letters and digits at 42, 52 or 76
    Form("Azure", "jqqj9", r"[A-Za-z0-9]{52}JQQJ9[A-Za-z0-9]{27}"),
    Form("Azure", "qjjq", r"[\w-]{40,88}QJJQ[\w-]{12,44}"),
    Form("Azure DevOps", "azdo", r"[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}"),
    Form("Azure Functions", "azfu", r"[\w-]{44}AzFu[\w-]{5}[AQgw]=="),
    Form("Azure AI Search", "azse", r"[A-Za-z0-9]{42}AzSe[A-Za-z0-9]{6}"),
    Form("Azure Container Registry", "+acr", r"[A-Za-z0-9/+]{42}\+ACR[A-Za-z0-9/+]{6}"),
    Form("Azure Cosmos DB", "acdb", r"[A-Za-z0-9/+]{76}ACDb[A-Za-z0-9/+]{6}=="),
    Form("Azure API Management", "apim", r"[A-Za-z0-9/+]{76}APIM[A-Za-z0-9/+]{6}=="),
    Form("Azure Storage", "+ast", r"[A-Za-z0-9/+]{76}\+ASt[A-Za-z0-9/+]{6}=="),
    Form("Azure Batch", "+aba", r"[A-Za-z0-9/+]{76}\+ABa[A-Za-z0-9/+]{6}=="),
    Form("Azure Machine Learning", "+amc", r"[A-Za-z0-9/+]{76}\+AMC[A-Za-z0-9/+]{6}=="),
    Form("Azure Service Bus", "+asb", r"[A-Za-z0-9/+]{33}\+ASb[A-Za-z0-9/+]{6}="),
    Form("Azure Event Hubs", "+aeh", r"[A-Za-z0-9/+]{33}\+AEh[A-Za-z0-9/+]{6}="),
    Form("Azure Relay", "+arm", r"[A-Za-z0-9/+]{33}\+ARm[A-Za-z0-9/+]{6}="),
    Form("Azure IoT Hub", "aiot", r"[A-Za-z0-9/+]{33}AIoT[A-Za-z0-9/+]{6,7}="),
    Form("Azure", "az", r"[A-Za-z0-9/+]{33}A[zZ][A-Z][A-Za-z][A-Za-z0-9/+]{6,7}="),  # Event Grid, Redis, SignalR
    Form("Entra ID", "q~", r"[\w~.-]{3}[78]Q~[\w~.-]{31,34}"),
)
OLD_DEVOPS = r"[a-z2-7]{52}"  # before 2025

HEX = "[0-9a-f]"
OTHERS = (
    *_begins("GitHub", "ghp_ gho_ ghu_ ghs_ ghr_", r"[A-Za-z0-9]{36,}"),
    *_begins("GitHub", "github_pat_", r"\w{60,}"),
    *_begins("GitLab", "glpat- gldt- glrt- glrtr- glcbt- glptt- glft- glsoat- glagent- gloas-", r"[\w.-]{19,}\w"),
    *_begins("Atlassian", "ATATT ATCTT ATBB", r"[\w=-]{28,}"),
    *_begins("AWS", "AKIA ASIA ABIA", r"[0-9A-Z]{16}"),
    *_begins("AWS", "ABSK", r"[A-Za-z0-9+/]{100,}={0,2}"),
    *_begins("Google", "AIza", r"[\w-]{35}"),
    *_begins("Google", "GOCSPX-", r"[\w-]{28}"),
    *_begins("Google", "ya29. AQ.Ab 1//0", r"[\w-]{40,}"),
    *_begins("Slack", "xoxa- xoxb- xoxc- xoxe- xoxo- xoxp- xoxr- xoxs- xoxe.xoxb- xoxe.xoxp- xapp-", r"[\w-]{20,}"),
    Form("Slack", "hooks.slack.com/", r"(?<=hooks\.slack\.com/)(?:services|workflows|triggers)/[\w/]{24,}"),
    Form("Microsoft Teams", "webhook.office.com/", r"(?<=webhook\.office\.com/)webhookb2/[\w@/-]{60,}"),
    Form("Discord", "/api/webhooks/", r"(?<=/api/webhooks/)\d{17,20}/[\w-]{60,}"),
    Form(
        "Discord", ".", r"(?:[MNO][DTjz][AEIMQUYcgk][w-z0-5]){5,}\w{0,4}\.[\w-]{6}\.[\w-]{27,38}"
    ),  # begins with digits
    Form("Telegram", ":aa", r"(?:bot)?\d{8,10}:AA[\w-]{33}"),
    *_begins("Hugging Face", "hf_ api_org_", r"[A-Za-z0-9]{34,}"),
    *_begins("OpenRouter", "sk-or-v1-", rf"{HEX}{{64}}"),
    *_begins("Langfuse", "sk-lf-", GUID),
    *_begins("LangSmith", "lsv2_pt_ lsv2_sk_", rf"{HEX}{{32}}_{HEX}{{10}}"),
    *_begins("Groq", "gsk_", r"[A-Za-z0-9]{40,}"),
    *_begins("xAI", "xai-", r"[A-Za-z0-9]{70,}"),
    *_begins("Perplexity", "pplx-", r"[A-Za-z0-9]{40,}"),
    *_begins("Cerebras", "csk-", r"[a-z0-9]{40,}"),
    *_begins("Together AI", "tgp_v1_", r"[\w-]{40,}"),
    *_begins("Fireworks AI", "fw_", r"[A-Za-z0-9]{22,}"),
    *_begins("NVIDIA", "nvapi-", r"[\w-]{60,}"),
    *_begins("Replicate", "r8_", r"[A-Za-z0-9]{37}"),
    *_begins("ElevenLabs", "sk_", rf"{HEX}{{48}}"),
    *_begins("Jina", "jina_", r"[A-Za-z0-9]{60}"),
    *_begins("Pinecone", "pcsk_", r"\w{60,}"),
    *_begins("Tavily", "tvly-", r"[\w-]{20,}"),
    *_begins("Firecrawl", "fc-", rf"{HEX}{{32}}"),
    *_begins("Databricks", "dapi", rf"{HEX}{{32}}(?:-\d)?"),
    *_begins("npm", "npm_", r"[A-Za-z0-9]{36}"),
    *_begins("PyPI", "pypi-", r"[\w-]{60,}"),
    *_begins("RubyGems", "rubygems_", rf"{HEX}{{48}}"),
    *_begins("NuGet", "oy2", r"[a-z0-9]{43}"),
    *_begins("crates.io", "cio", r"[A-Za-z0-9]{32}"),
    *_begins("Docker", "dckr_pat_ dckr_oat_", r"[\w-]{27,}"),
    *_begins("DigitalOcean", "dop_v1_ doo_v1_ dor_v1_", rf"{HEX}{{64}}"),
    *_begins("Heroku", "HRKU-", r"[\w-]{36,}"),
    *_begins("Netlify", "nfp_", r"[A-Za-z0-9]{36,}"),
    *_begins("Fly.io", "fo1_", r"[\w-]{43}"),
    *_begins("Supabase", "sbp_", rf"{HEX}{{40}}"),
    *_begins("Supabase", "sb_secret_", r"[\w-]{31,}"),
    *_begins("PlanetScale", "pscale_tkn_ pscale_pw_ pscale_oauth_", r"[\w.-]{32,}"),
    *_begins("Neon", "napi_", r"[a-z0-9]{60,}"),
    *_begins("Doppler", "dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit.", r"[\w.-]{40,}"),
    *_begins("HashiCorp", "hvs. hvb. hvr.", r"[\w-]{24,}"),
    Form("HashiCorp", ".atlasv1.", r"[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{60,}"),
    *_begins("Pulumi", "pul-", rf"{HEX}{{40}}"),
    *_begins("Grafana", "glc_ glsa_", r"[\w+/=]{32,}"),
    *_begins("New Relic", "NRAK- NRJS- NRII- NRIQ- NRRA-", r"[A-Za-z0-9]{19,}"),
    *_begins("Sentry", "sntrys_ sntryu_", r"[\w+/=]{40,}"),
    *_begins("SonarQube", "sqp_ sqa_ squ_", rf"{HEX}{{40}}"),
    *_begins("Stripe", "sk_live_ sk_test_ sk_prod_ rk_live_ rk_test_ rk_prod_", r"[A-Za-z0-9]{16,}"),
    *_begins("Stripe", "whsec_", r"[A-Za-z0-9+/]{32,}={0,2}"),
    *_begins("Square", "sq0atp- sq0csp- sq0idp-", r"[\w-]{22,}"),
    *_begins("Shopify", "shpat_ shpca_ shppa_ shpss_", rf"{HEX}{{32}}"),
    *_begins("SendGrid", "SG.", r"[\w-]{22}\.[\w-]{43}"),
    *_begins("Mailgun", "key-", rf"{HEX}{{32}}"),
    Form("Mailchimp", "-us", rf"{HEX}{{32}}-us\d{{1,2}}"),
    *_begins("Twilio", "SK", rf"{HEX}{{32}}"),
    *_begins("Postman", "PMAK-", rf"{HEX}{{24}}-{HEX}{{34}}"),
    *_begins("Linear", "lin_api_ lin_oauth_", r"[A-Za-z0-9]{40,}"),
    *_begins("Notion", "ntn_", r"[A-Za-z0-9]{40,}"),
    *_begins("Notion", "secret_", r"[A-Za-z0-9]{43}"),
    *_begins("Airtable", "pat", rf"[A-Za-z0-9]{{14}}\.{HEX}{{64}}"),
    *_begins("Figma", "figd_ figo_ figu_ figdr_ figor_ figur_", r"[\w-]{40,}"),
    *_begins("Dropbox", "sl. sl.u.", r"[\w-]{100,}"),
    *_begins("1Password", "ops_eyJ", r"[\w-]{100,}={0,2}"),
    *_begins("age", "AGE-SECRET-KEY-1", r"[0-9A-Z]{58}"),
)


def is_no_placeholder(key: str) -> bool:
    """Not a placeholder such as `ghp_xxxxxxxx…` or `AKIAIOSFODNN7EXAMPLE`, nor a name without digits."""
    return "EXAMPLE" not in key.upper() and not re.search(r"(.)\1{7}", key) and bool(re.search(r"[0-9]", key[6:]))


def is_base32(token: str) -> bool:
    """Whether it looks like random bytes in base32, and not like a word of 52 letters or hexadecimal digits."""
    return len(set(token)) > 12 and len(re.findall(r"[2-7]", token)) > 3 and re.search(r"[g-z]", token) is not None
