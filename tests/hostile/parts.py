"""The parts of hostile requests: odd methods, ids, routes, queries, headers and bodies."""

import gzip
import zlib

KEY = b"function-key-of-the-hostile-tests"
CANARY = b"canary-that-no-log-line-may-show"  # bodies and queries hold it
ELSEWHERE = b"127.0.0.1:99999"  # stands for the address of a server that the proxy must never call
SMUGGLED = b"POST /smuggled HTTP/1.1\r\nhost: x\r\nx-functions-key: " + KEY + b"\r\ncontent-length: 2\r\n\r\n{}"


def words(text: bytes) -> list[bytes]:
    return filled(text).split()


def filled(text: bytes) -> bytes:
    return text.replace(b"KEY", KEY).replace(b"CANARY", CANARY).replace(b"ELSEWHERE", ELSEWHERE)


NASTY_BYTES = [b"\0", b"\r\n", b"\n", b"\r", b"\t", b" ", b":", b"%", b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\x1b[2J"]
ODD_METHODS = ["CONNECT", "TRACE", "POST/", "p\x00st", "", "GET GET", "PRI", "x" * 5_000]
VERSIONS = [b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.1 ", b"HTTP/9", b"http/1.1", b"", b"HTTP/1.1\r\nhost: twice"]
PREFIXES = words(b"/api/v1/ /API/V1/ /api/v1// / // /api/ http://ELSEWHERE/api/v1/ /openai/v1/")
ROUTES = words(b"""
    chat/completions embeddings responses responses/input_tokens responses/compact models
    responses/%s responses/%s/cancel responses/%s/input_items models/%s %s v1/%s ../%s chat/completions/%s files/%s
    ../../openai/%s %s/responses responses//%s CHAT/Completions/ audio/transcriptions audio/speech images/generations
    images/edits containers/%s/files/%s/content containers/cntr_1/files/%s/content containers/%s/files containers/%s
""")
ODD_TARGETS = [(m, route) for m in ("POST", "GET", "DELETE", "PUT", "PATCH", "OPTIONS") for route in ROUTES]
IDS = words(rb"""
    resp_1 .. . %2e%2e %2E. ..%2f..%2fopenai ..%5c.. %252e%252e%252f a%2Fb a/b %00 %0d%0ahost:%20evil.example %0a %20
    %ff%fe % %zz \ ;a=b resp_1;x @ resp_1%3Fapi-version=2099-01-01 resp_1%23 {id} {} %F0%9F%9A%86 * /ELSEWHERE
    @ELSEWHERE http:%2F%2FELSEWHERE __class__ %7b0.__class__%7d $(id) ~ -
""")
IDS += [b"", b"\xff", b"a" * 256, b"a" * 257]
QUERIES = words(rb"""
    stream=true include%5B%5D=a&include[]=b code=KEY %63ode=KEY CODE=KEY clientId=x code=wrong q=CANARY q=%00%0d%0a
    api-version=2099-01-01 API%2Dversion=x api_base=http://ELSEWHERE a=b#c % after=resp_1&limit=99999999999 &&&=&= ????
""")
QUERIES += [b"q=\xff", b"q=" + b"x" * 9_000]
HEADERS = filled(b"""\
x-functions-key: KEY
X-Functions-Key:\tKEY
x-functions-key: wrong
x-functions-key:
authorization: Bearer of-the-caller
api-key: of-the-caller
cookie: session=of-the-caller
x-forwarded-host: ELSEWHERE
forwarded: host=ELSEWHERE
x-forwarded-for: 127.0.0.1
x-original-url: /openai
x-http-method-override: DELETE
x-identity-header: x
host: evil.example
host: ELSEWHERE
content-type: text/plain
content-type: multipart/form-data; boundary=form
content-type: multipart/form-data
content-type: application/json; a=\xff
content-encoding: gzip
content-encoding: deflate
accept-encoding: gzip, br, zstd
connection: close
connection: x-functions-key, authorization
connection: keep-alive, host
te: trailers
expect: 100-continue
expect: magic
keep-alive: timeout=0
proxy-connection: close
range: bytes=0-
user-agent: caf\xc3\xa9 \xff
user-agent:
traceparent: 00-x
openai-organization: \xff
openai-: x
OpenAI-Project: \xe2\x82\xac
x-stainless-lang: \t
x-stainless-retry-count: -1""").split(b"\n")
HEADERS += [b"user-agent: " + b"u" * 60_000, b"accept: " + b"*" * 900, b"x-stainless-a: 1\r\nx-stainless-a: 2"]
BROKEN_HEADERS = [  # a server may refuse a head with one of these, or see its end elsewhere
    *(
        b"user-agent: a\r\n b",
        b" user-agent: a",
        b"user-agent : a",
        b": a",
        b"no colon",
        b"a: \0",
        b"a\x01: b",
        b"\xff: a",
    ),
    *(b"openai-x: a\nauthorization: Bearer b", b"openai-x: a\rhost: evil", b"openai-\xc3\xa9: x", b"openai-a(b): c"),
    *(b"connection: upgrade\r\nupgrade: websocket", b"upgrade: h2c\r\nconnection: upgrade", b"openai-a: \x7f"),
]

SOUND = b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"%s"}]}' % CANARY
PART = b'--form\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
FILE = PART % (b"file", b'; filename="a"', CANARY)
FORMS = [
    FILE + PART % (b"model", b"", b"gpt-4o") + b"--form--\r\n",
    PART % (b"model", b"", b"gpt-4o-mini") + PART % (b"model", b"", b"evil") + FILE + b"--form--",
    PART % (b"model", b"", b"evil") + FILE,
    FILE + b"--form--" + PART % (b"model", b'; filename="b"', b"gpt-4o"),
    b"--form\r\n" * 5_000,
    b"--form" * 50_000,
]
MEMBERS = words(rb"""
    "model":"gpt-4o" "model":null "model":"evil" "model":["gpt-4o"] "model":1 "\u006dodel":"gpt-4o" "model":"\ud800"
    "model":"gpt-4o\u0000" "model":"" "model":"../../x" "Model":"gpt-4o" "":{} "extra_query":{"code":"x"} "stream":true
    "extra_headers":{"host":"evil"} "extra_body":{"model":"gpt-4o"} "a":NaN "a":1e999999 "a":-Infinity "a":01
    "a":"\ud83d" "a":"\u0000" "a":{"model":"gpt-4o"} "a":"\"model\":\"x" "a":[{"model":1}] "input":"CANARY"
    "api_base":"http://ELSEWHERE" "base_url":"http://ELSEWHERE" "azure_endpoint":"http://ELSEWHERE" "host":"ELSEWHERE"
""")
MEMBERS += [b'"a":%s' % a for a in (b'"\xff"', b'"\0"', b'"\xed\xa0\x80"', b'"\t"', b"9" * 5_000, b"0." + b"1" * 5_000)]
BODIES = words(b"""{} [] null 1 "" { } {{}} {}{} a=b&c=d <a/> \xef\xbb\xbf{} {}\0""")
BODIES += [
    *FORMS,
    *(SOUND, b"", b" \r\n{} ", b"\0" * 99, b"9" * 9_999, b'{"input":"%s"}' % (b"x" * 300_000), SMUGGLED),
    *(
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"{" * 5_000,
        b'{"a":' * 900 + b"1" + b"}" * 900,
        b"[" * 70_000 + b"]" * 70_000,
    ),
    *(SOUND.decode().encode("utf-16"), SOUND.decode().encode("utf-32"), gzip.compress(SOUND), zlib.compress(SOUND)),
]
