"""The scrubber finds a key by its form in any place, and leaves lookalikes alone. All these keys are made up."""

import json
import random
import string
from urllib.parse import quote

import pytest

from emulator.scrub.scrub import SecretFound, scrubbed
from emulator.scrub.search import Search
from emulator.tape.interaction import Interaction
from tests.scrub.canaries import KNOWN, answering, is_said, streaming

DICE = random.Random(19)
ALL, HEX, BASE64 = string.ascii_letters + string.digits, "0123456789abcdef", string.ascii_letters + string.digits + "+/"
LOWER, URL = string.ascii_lowercase + string.digits, string.ascii_letters + string.digits + "-_"


def some(count: int, letters: str = ALL) -> str:
    return "".join(DICE.choice(letters) for _ in range(count - 2)) + "7a"


MICROSOFT = {
    "Entra ID": f"{some(3)}8Q~{some(34, URL + '.~')}",
    "Entra ID, earlier": f"{some(3)}7Q~{some(31)}",
    "Azure AI services": f"{some(52)}JQQJ99{some(8)}XJ3w3AAAAACOG{some(5)}",
    "base64url of the newer kind": f"{some(44, URL)}QJJQ{some(20, URL)}",
    "Cosmos DB": f"{some(76, BASE64)}ACDb{some(6)}==",
    "Storage": f"{some(76, BASE64)}+ASt{some(6)}==",
    "Batch": f"{some(76, BASE64)}+ABa{some(6)}==",
    "Machine Learning": f"{some(76, BASE64)}+AMC{some(6)}==",
    "API Management": f"{some(76, BASE64)}APIM{some(6)}==",
    "DevOps": f"{some(52)}JQQJ99BKACAAAAAAAAAAAAASAZDO{some(4)}",
    "DevOps, without its date": f"{some(76)}AZDO{some(4)}",
    "DevOps, before 2025": some(50, "abcdefghijklmnopqrstuvwxyz234567") + "q3",
    "Service Bus": f"{some(33, BASE64)}+ASbC{some(5)}=",
    "Event Hubs": f"{some(33, BASE64)}+AEhC{some(5)}=",
    "Relay": f"{some(33, BASE64)}+ARmC{some(5)}=",
    "IoT Hub": f"{some(33, BASE64)}AIoTC{some(5)}=",
    "Event Grid": f"{some(33)}AZEGC{some(5)}=",
    "Cache for Redis": f"{some(33)}AzCaC{some(5)}=",
    "Container Registry": f"{some(42, BASE64)}+ACRA{some(5)}",
    "AI Search": f"{some(42)}AzSeA{some(5)}",
    "Functions": f"{some(44, URL)}AzFu{some(5)}Q==",
}
OTHERS = {
    "GitHub": f"ghp_{some(36)}",
    "GitHub, of an app": f"ghs_{some(36)}",
    "GitHub, fine-grained": f"github_pat_{some(22)}_{some(59)}",
    "GitLab": f"glpat-{some(20, URL)}",
    "GitLab, routable": f"glpat-{some(27)}.01.{some(9)}",
    "Atlassian": f"ATATT3xFfGF0{some(171, URL)}={some(8)}",
    "AWS": f"AKIA{some(14, string.ascii_uppercase).upper()}7Q",
    "AWS, for a while": f"ASIA{some(14, string.ascii_uppercase).upper()}7Q",
    "Amazon Bedrock": f"ABSK{some(128, BASE64)}",
    "Google": f"AIza{some(35, URL)}",
    "Google OAuth": f"GOCSPX-{some(28, URL)}",
    "Google, for an hour": f"ya29.{some(60, URL)}",
    "Gemini": f"AQ.Ab8RN6{some(44, URL)}",
    "Slack": f"xoxb-{some(11, string.digits)}-{some(24)}",
    "Slack, of an app": f"xapp-1-{some(11)}-{some(13, string.digits)}-{some(64, HEX)}",
    "Discord": f"MTA4NjM2NTQyMTQ3NTYxNDcy.G{some(5)}.{some(38, URL)}",
    "Telegram": f"7123456789:AA{some(33, URL)}",
    "Hugging Face": f"hf_{some(34)}",
    "OpenAI": f"sk-{some(20)}T3BlbkFJ{some(20)}",
    "OpenAI, of a project": f"sk-proj-{some(74, URL)}T3BlbkFJ{some(74, URL)}",
    "Anthropic": f"sk-ant-api03-{some(93, URL)}AA",
    "DeepSeek": f"sk-{some(32, HEX)}",
    "OpenRouter": f"sk-or-v1-{some(64, HEX)}",
    "Langfuse": f"sk-lf-{some(8, HEX)}-{some(4, HEX)}-{some(4, HEX)}-{some(4, HEX)}-{some(12, HEX)}",
    "LangSmith": f"lsv2_pt_{some(32, HEX)}_{some(10, HEX)}",
    "Groq": f"gsk_{some(52)}",
    "xAI": f"xai-{some(80)}",
    "Perplexity": f"pplx-{some(48)}",
    "Cerebras": f"csk-{some(48, LOWER)}",
    "Together AI": f"tgp_v1_{some(43, URL)}",
    "Fireworks AI": f"fw_{some(24)}",
    "NVIDIA": f"nvapi-{some(64, URL)}",
    "Replicate": f"r8_{some(37)}",
    "ElevenLabs": f"sk_{some(48, HEX)}",
    "Jina": f"jina_{some(60)}",
    "Pinecone": f"pcsk_{some(6)}_{some(63)}",
    "Tavily": f"tvly-dev-{some(32)}",
    "Firecrawl": f"fc-{some(32, HEX)}",
    "Databricks": f"dapi{some(32, HEX)}",
    "npm": f"npm_{some(36)}",
    "PyPI": f"pypi-AgEIcHlwaS5vcmc{some(120, URL)}",
    "RubyGems": f"rubygems_{some(48, HEX)}",
    "NuGet": f"oy2{some(43, LOWER)}",
    "crates.io": f"cio{some(32)}",
    "Docker": f"dckr_pat_{some(27, URL)}",
    "DigitalOcean": f"dop_v1_{some(64, HEX)}",
    "Heroku": f"HRKU-{some(60, URL)}",
    "Netlify": f"nfp_{some(36)}",
    "Fly.io": f"fo1_{some(43, URL)}",
    "Supabase": f"sbp_{some(40, HEX)}",
    "PlanetScale": f"pscale_tkn_{some(43, URL)}",
    "Neon": f"napi_{some(64, LOWER)}",
    "Doppler": f"dp.pt.{some(43)}",
    "Vault": f"hvs.{some(90, URL)}",
    "Terraform": f"{some(14)}.atlasv1.{some(67, URL)}",
    "Pulumi": f"pul-{some(40, HEX)}",
    "Grafana": f"glsa_{some(32)}_{some(8, HEX)}",
    "New Relic": f"NRAK-{some(27, string.ascii_uppercase)}",
    "Sentry": f"sntrys_{some(80)}_{some(43)}",
    "SonarQube": f"sqp_{some(40, HEX)}",
    "Stripe": f"sk_live_{some(24)}",
    "Stripe, in a test": f"rk_test_{some(99)}",
    "Stripe's webhooks": f"whsec_{some(32)}",
    "Square": f"sq0atp-{some(22, URL)}",
    "Shopify": f"shpat_{some(32, HEX)}",
    "SendGrid": f"SG.{some(22, URL)}.{some(43, URL)}",
    "Mailgun": f"key-{some(32, HEX)}",
    "Mailchimp": f"{some(32, HEX)}-us12",
    "Twilio": f"SK{some(32, HEX)}",
    "Postman": f"PMAK-{some(24, HEX)}-{some(34, HEX)}",
    "Linear": f"lin_api_{some(40)}",
    "Notion": f"ntn_{some(46)}",
    "Airtable": f"pat{some(14)}.{some(64, HEX)}",
    "Figma": f"figd_{some(40, URL)}",
    "Dropbox": f"sl.u.{some(140, URL)}",
    "1Password": f"ops_eyJ{some(200)}",
    "age": f"AGE-SECRET-KEY-1{some(58, string.ascii_uppercase + string.digits).upper()}",
}
KEYS = MICROSOFT | OTHERS
AROUND = (
    "The tool printed {} and stopped.",
    '{{"key": "{}"}}',
    "KEY={}\n",
    "it's '{}'.",
    "{}",
    "a ({}), b",
    "key={};next=1",
    "first line\n{}\nlast line",
)


def in_an_answer(text: str) -> Interaction:
    return answering(json.dumps({"output": [{"text": text}]}).encode())


@pytest.mark.parametrize("name", KEYS)
def test_a_key_is_found_wherever_it_stands(name: str) -> None:
    key = KEYS[name]
    for around in AROUND:
        text = around.format(key)
        assert Search().hits(text), around
        written = scrubbed(in_an_answer(text), KNOWN).response.body.decode()
        assert not is_said(key[4:-4], written)
        assert written == in_an_answer(around.format("scrubbed-key")).response.body.decode()
    assert Search().hits(f"https://x/?a={quote(key, safe='')}")


@pytest.mark.parametrize("name", KEYS)
def test_a_key_that_a_stream_spells_is_refused(name: str) -> None:
    key = KEYS[name]
    pieces = [key[at : at + 5] for at in range(0, len(key), 5)]
    spelled = streaming(*[{"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in pieces])
    with pytest.raises(SecretFound):
        scrubbed(spelled, KNOWN)


WEBHOOKS = {
    "Slack": f"https://hooks.slack.com/services/T{some(8)}/B{some(8)}/{some(24)}",
    "Slack's workflows": f"https://hooks.slack.com/triggers/E{some(10)}/{some(13, string.digits)}/{some(32, HEX)}",
    "Discord": f"https://discord.com/api/webhooks/{some(18, string.digits)[:-1]}1/{some(68, URL)}",
    "Teams": f"https://contoso.webhook.office.com/webhookb2/{some(36, HEX)}@{some(36, HEX)}/IncomingWebhook/{some(32)}",
    "Telegram": f"https://api.telegram.org/bot7123456789:AA{some(33, URL)}/getMe",
    "Logic Apps": f"https://prod-1.logic.azure.com/workflows/x?sp=%2Ftriggers&sig={some(43, URL)}",
}


@pytest.mark.parametrize("name", WEBHOOKS)
def test_an_address_that_is_a_key_is_found(name: str) -> None:
    address = WEBHOOKS[name]
    assert Search().hits(f"Post it to {address}.")
    assert address[-24:-8] not in scrubbed(in_an_answer(address), KNOWN).response.body.decode()


NAMED = {
    "API Management": f"Ocp-Apim-Subscription-Key: {some(32, HEX)}",
    "API Management in an address": f"https://contoso.com/chat?subscription-key={some(32, HEX)}",
    "Service Bus": f"Endpoint=sb://x/;SharedAccessKeyName=Root;SharedAccessKey={some(43, BASE64)}=",
    "Storage": f"DefaultEndpointsProtocol=https;AccountName=x;AccountKey={some(86, BASE64)}==",
    "Cosmos DB": f"AccountEndpoint=https://x/;AccountKey={some(86, BASE64)}==;",
    "Cosmos DB, listed": f'{{"primaryMasterKey": "{some(86, BASE64)}=="}}',
    "Cosmos DB, listed to read": f'{{"secondaryReadonlyMasterKey": "{some(86, BASE64)}=="}}',
    "SignalR": f"Endpoint=https://x/;AccessKey={some(43, BASE64)}=;Version=1.0;",
    "App Configuration": f"Endpoint=https://x/;Id=abc;Secret={some(43, BASE64)}=",
    "Redis": f"x:6380,password={some(43, BASE64)}=,ssl=True",
    "SAS": f"https://x/y?sv=2024-11-04&sig={quote(some(43, BASE64) + '=')}&se=2026",
    "AWS": f"aws_secret_access_key = {some(40, BASE64)}",
}


@pytest.mark.parametrize("name", NAMED)
def test_a_key_without_a_form_is_found_by_its_name(name: str) -> None:
    assert Search().hits(NAMED[name])


ORDINARY = (
    "ghp_" + "x" * 36 + " AKIAIOSFODNN7EXAMPLE sk_live_" + "X" * 24 + " hf_" + "0" * 34,
    "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
    "fw_configurationOfTheFramework secret_ManagerClientForAllOfTheseLongNamesThatAreNone cio" + "a" * 32,
    "sha512-" + "aB3+" * 21 + "aB==" + " sha256-" + "aB3+" * 10 + "aB3=",
    "Methods.Module.SomeVeryLongClassNameOfALibrary MyModuleWithAVeryLongName.Client.and_a_very_long_method_name",
    "azureml-model-session d20251213051733-292ce4569f3c4ea8, x-ratelimit-key gpt-4o-mini",
    "pypi-server, npm_config_registry, sk-learn, xai-sdk, pul-request, key-value, dapi, SK, dp.pt.x, SG.x.y",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709 " + "ab" * 26 + " abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
    "2023:AAPL is up, 10:AA, 12345678:AB",
)


@pytest.mark.parametrize("text", ORDINARY)
def test_what_only_looks_like_a_key_is_left_alone(text: str) -> None:
    assert Search().hits(json.dumps({"content": text})) == []


STAND_INS = (
    "dummy test redacted REDACTED fake fake-resource fakeendpoint fake_azure dummy-endpoint test-resource "
    "your-resource-name my-resource example-resource example resource my-azure-openai-endpoint"
)


@pytest.mark.parametrize("name", STAND_INS.split())
def test_a_stand_in_for_a_resource_is_no_leak(name: str) -> None:
    assert Search().hits(f"See https://{name}.openai.azure.com/openai/v1/.") == []


@pytest.mark.parametrize("name", ["contoso-test", "testing-fabrikam", "my-fabrikam", "dummy-fabrikam", "redactedcorp"])
def test_a_name_beside_a_stand_in_is_one(name: str) -> None:
    (hit,) = Search().hits(f"See https://{name}.openai.azure.com/openai/v1/.")
    assert hit.secret == name
