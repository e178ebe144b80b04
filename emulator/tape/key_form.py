"""Keys that their form gives away, wherever they stand: what their issuers print into them so that scanners see it.

Microsoft's are those of github.com/microsoft/security-utilities; the other services document theirs for GitHub's secret
scanning. What has no form (32 hexadecimal digits, 40 letters) is found by the name beside it: `secret.RULES`.
"""

import re
from collections import Counter
from typing import NamedTuple

GUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"


class Form(NamedTuple):
    """`needle` is in every such key, in small letters: most texts are done with after one look for it."""

    of: str
    needle: str
    pattern: str


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
    Form("GitHub", "gh", r"gh[oprsu]_[A-Za-z0-9]{36,}"),
    Form("GitHub", "github_pat_", r"github_pat_\w{60,}"),
    Form("GitLab", "gl", r"gl(?:pat|dt|rt|rtr|cbt|ptt|ft|soat|agent|oas|imt|ffct)-[\w.-]{19,}\w"),
    Form("Atlassian", "at", r"(?:ATATT|ATCTT|ATBB)[\w=-]{28,}"),
    Form("AWS", "a", r"(?:AKIA|ASIA|ABIA)[0-9A-Z]{16}"),
    Form("AWS", "absk", r"ABSK[A-Za-z0-9+/]{100,}={0,2}"),
    Form("Google", "aiza", r"AIza[\w-]{35}"),
    Form("Google", "gocspx-", r"GOCSPX-[\w-]{28}"),
    Form("Google", "ya29.", r"ya29\.[\w-]{20,}"),
    Form("Google", "aq.ab", r"AQ\.Ab[\w-]{40,}"),
    Form("Google", "1//0", r"1//0[\w-]{40,}"),
    Form("Slack", "xox", r"xox[abceoprs](?:\.xox[bp])?-[\w-]{20,}"),
    Form("Slack", "xapp-", r"xapp-\d-[\w-]{20,}"),
    Form("Slack", "hooks.slack.com/", r"(?<=hooks\.slack\.com/)(?:services|workflows|triggers)/[\w/]{24,}"),
    Form("Microsoft Teams", "webhook.office.com/", r"(?<=webhook\.office\.com/)webhookb2/[\w@/-]{60,}"),
    Form("Discord", "/api/webhooks/", r"(?<=/api/webhooks/)\d{17,20}/[\w-]{60,}"),
    Form(
        "Discord", ".", r"(?:[MNO][DTjz][AEIMQUYcgk][w-z0-5]){5,}\w{0,4}\.[\w-]{6}\.[\w-]{27,38}"
    ),  # begins with digits
    Form("Telegram", ":aa", r"(?:bot)?\d{8,10}:AA[\w-]{33}"),
    Form("Hugging Face", "hf_", r"hf_[A-Za-z0-9]{34,}"),
    Form("Hugging Face", "api_org_", r"api_org_[A-Za-z0-9]{34}"),
    Form("OpenRouter", "sk-or-", rf"sk-or-v1-{HEX}{{64}}"),
    Form("Langfuse", "-lf-", rf"[ps]k-lf-{GUID}"),
    Form("LangSmith", "lsv2_", rf"lsv2_(?:pt|sk)_{HEX}{{32}}_{HEX}{{10}}"),
    Form("Groq", "gsk_", r"gsk_[A-Za-z0-9]{40,}"),
    Form("xAI", "xai-", r"xai-[A-Za-z0-9]{70,}"),
    Form("Perplexity", "pplx-", r"pplx-[A-Za-z0-9]{40,}"),
    Form("Cerebras", "csk-", r"csk-[a-z0-9]{40,}"),
    Form("Together AI", "tgp_v1_", r"tgp_v1_[\w-]{40,}"),
    Form("Fireworks AI", "fw_", r"fw_[A-Za-z0-9]{22,}"),
    Form("NVIDIA", "nvapi-", r"nvapi-[\w-]{60,}"),
    Form("Replicate", "r8_", r"r8_[A-Za-z0-9]{37}"),
    Form("ElevenLabs", "sk_", rf"sk_{HEX}{{48}}"),
    Form("Jina", "jina_", r"jina_[A-Za-z0-9]{60}"),
    Form("Pinecone", "pcsk_", r"pcsk_\w{60,}"),
    Form("Tavily", "tvly-", r"tvly-(?:dev-|prod-)?[\w-]{20,}"),
    Form("Firecrawl", "fc-", rf"fc-{HEX}{{32}}"),
    Form("Databricks", "dapi", rf"dapi{HEX}{{32}}(?:-\d)?"),
    Form("npm", "npm_", r"npm_[A-Za-z0-9]{36}"),
    Form("PyPI", "pypi-", r"pypi-[\w-]{60,}"),
    Form("RubyGems", "rubygems_", rf"rubygems_{HEX}{{48}}"),
    Form("NuGet", "oy2", r"oy2[a-z0-9]{43}"),
    Form("crates.io", "cio", r"cio[A-Za-z0-9]{32}"),
    Form("Docker", "dckr_", r"dckr_[op]at_[\w-]{27,}"),
    Form("DigitalOcean", "_v1_", rf"do[opr]_v1_{HEX}{{64}}"),
    Form("Heroku", "hrku-", r"HRKU-[\w-]{36,}"),
    Form("Netlify", "nfp_", r"nfp_[A-Za-z0-9]{36,}"),
    Form("Fly.io", "fo1_", r"fo1_[\w-]{43}"),
    Form("Supabase", "sb", rf"sbp_{HEX}{{40}}|sb_secret_[\w-]{{31,}}"),
    Form("PlanetScale", "pscale_", r"pscale_(?:tkn|pw|oauth)_[\w.-]{32,}"),
    Form("Neon", "napi_", r"napi_[a-z0-9]{60,}"),
    Form("Doppler", "dp.", r"dp\.(?:pt|st|ct|sa|scim|audit)\.[\w.-]{40,}"),
    Form("HashiCorp", "hv", r"hv[sbr]\.[\w-]{24,}"),
    Form("HashiCorp", ".atlasv1.", r"[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{60,}"),
    Form("Pulumi", "pul-", rf"pul-{HEX}{{40}}"),
    Form("Grafana", "gl", r"gl(?:c|sa)_[\w+/=]{32,}"),
    Form("New Relic", "nr", r"NR(?:AK|JS|II|IQ|RA)-[A-Za-z0-9]{19,}"),
    Form("Sentry", "sntry", r"sntry[su]_[\w+/=]{40,}"),
    Form("SonarQube", "sq", rf"sq[apu]_{HEX}{{40}}"),
    Form("Stripe", "k_", r"[rs]k_(?:live|test|prod)_[A-Za-z0-9]{16,}"),
    Form("Stripe", "whsec_", r"whsec_[A-Za-z0-9+/]{32,}={0,2}"),
    Form("Square", "sq0", r"sq0[a-z]{3}-[\w-]{22,}"),
    Form("Shopify", "shp", rf"shp(?:at|ca|pa|ss)_{HEX}{{32}}"),
    Form("SendGrid", "sg.", r"SG\.[\w-]{22}\.[\w-]{43}"),
    Form("Mailgun", "key-", rf"key-{HEX}{{32}}"),
    Form("Mailchimp", "-us", rf"{HEX}{{32}}-us\d{{1,2}}"),
    Form("Twilio", "sk", rf"SK{HEX}{{32}}"),
    Form("Postman", "pmak-", rf"PMAK-{HEX}{{24}}-{HEX}{{34}}"),
    Form("Linear", "lin_", r"lin_(?:api|oauth)_[A-Za-z0-9]{40,}"),
    Form("Notion", "ntn_", r"ntn_[A-Za-z0-9]{40,}"),
    Form("Notion", "secret_", r"secret_[A-Za-z0-9]{43}"),
    Form("Airtable", "pat", rf"pat[A-Za-z0-9]{{14}}\.{HEX}{{64}}"),
    Form("Figma", "fig", r"fig[dou]r?_[\w-]{40,}"),
    Form("Dropbox", "sl.", r"sl\.(?:u\.)?[\w-]{100,}"),
    Form("1Password", "ops_", r"ops_eyJ[\w-]{100,}={0,2}"),
    Form("age", "age-secret-key-", r"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
)


def is_no_placeholder(key: str) -> bool:
    """Not what stands in the place of one: `ghp_xxxxxxxx…`, `AKIAIOSFODNN7EXAMPLE`, a name without digits."""
    varied = Counter(key).most_common(1)[0][1] <= len(key) / 2
    return varied and "EXAMPLE" not in key.upper() and re.search(r"[0-9]", key[6:]) is not None


def is_base32(token: str) -> bool:
    """As bytes made by chance are: no word of 52 letters, and no hexadecimal digits."""
    return len(set(token)) > 12 and len(re.findall(r"[2-7]", token)) > 3 and re.search(r"[g-z]", token) is not None
