"""The verbs of `python -m proxy.keys`."""

import argparse
import datetime
import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from ..errors import ProxyError
from . import deployment, handout
from .person import LIMITS, Mistake, key_of, name_of, terms
from .sheet import keys_of

Say = Callable[[str], None]


class Parser(argparse.ArgumentParser):
    """An error does not repeat the usage, which would be longer than the error itself."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message} (--help tells more)\n")


def parser() -> Parser:
    made = Parser(prog="python -m proxy.keys", description="Makes, shows and revokes signed keys.")
    made.add_argument("--base-url", default="", metavar="URL", help="ends in /api/keys/v1 ($PROXY_BASE_URL, or azd's)")
    verbs = made.add_subparsers(required=True, metavar="VERB")
    make = verbs.add_parser("make", help="a key for a person (--name) or a class (--roster)")
    who = make.add_mutually_exclusive_group(required=True)
    who.add_argument("--name", help="the person's name; records show it")
    who.add_argument("--roster", type=Path, metavar="CSV", help="one line a person; it needs the column name")
    make.add_argument("--out", type=Path, metavar="DIR", help="for --roster: a new folder for the keys")
    make.add_argument("--ends", default="", metavar="DAY", help="the last good day, in UTC, like 2027-02-28; or never")
    make.add_argument("--models", default="", metavar="A,B", help="the models that the key is for (all)")
    for limit in LIMITS:
        make.add_argument(f"--{limit.replace('_', '-')}", default="", metavar="N", help="at most (no limit)")
    make.set_defaults(run=run_make)
    show = verbs.add_parser("show", help="what a key says, and whether it is good")
    show.add_argument("key", help="- reads the key from standard input, which keeps it out of ps")
    show.set_defaults(run=run_show)
    revoke = verbs.add_parser("revoke", help="the new PROXY_REVOKED_KEYS")
    revoke.add_argument("who", help="the name of a person, for all keys of that name; or the id of one key")
    revoke.set_defaults(run=run_revoke)
    return made


def run_make(asked: argparse.Namespace, there: deployment.Deployment, say: Say) -> int:
    keyring, today = there.keyring(), utc_today()
    usual = {name: getattr(asked, name) for name in ("ends", "models", *LIMITS)}
    if asked.name is not None:
        say(keyring.make(key_of({"name": asked.name, **usual}, today)))
        return 0
    if not asked.out:
        raise Mistake("--roster needs --out, a new folder for the keys.")
    if not there.base_url:
        raise Mistake("The pages name the base URL: put --base-url in front of the verb.")
    keys = keys_of(asked.roster, usual, today)
    handout.write(asked.out, [(key, keyring.make(key)) for key in keys], there.base_url)
    everything = asked.out / handout.ALL
    say(f"{len(keys)} keys are in {asked.out}: for each person a page and an .env. Try all of them before the lesson:")
    say(f"  python -m emulator doctor --base-url {there.base_url} --roster {shlex.quote(str(everything))}")
    return 0


def run_show(asked: argparse.Namespace, there: deployment.Deployment, say: Say) -> int:
    text = sys.stdin.readline() if asked.key == "-" else asked.key
    keyring = there.keyring()
    try:
        key = keyring.read(text.strip().encode())
    except ProxyError:
        say("no: none of these signing keys has signed it, or part of it is missing")
        return 1
    for what, value in {"name": key.name, "id": key.id, **terms(key)}.items():
        say(f"{what:20}{value}")
    try:
        keyring.require_good(key)
    except ProxyError as refused:
        say(f"no: {refused.code}")
        return 1
    return 0


def run_revoke(asked: argparse.Namespace, there: deployment.Deployment, say: Say) -> int:
    listed = ",".join(dict.fromkeys((*(there.revoked or ()), name_of(asked.who))))
    setting = shlex.quote(f"{deployment.REVOKED}={listed}")
    app = shlex.join(there.app) if there.app else "--resource-group <group> --name <app>"
    if there.revoked is None:
        say("Nobody could read what the function has revoked before: put that in front, with a comma.")
    say(f"{deployment.REVOKED}={listed}\n")
    say("Now (this restarts the function):")
    say(f"  az functionapp config appsettings set {app} --settings {setting}")
    say("For every later `azd up`:")
    say(f"  azd env set {deployment.REVOKED} {shlex.quote(listed)}")
    return 0


def utc_today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ, say: Say = print) -> int:
    """0: done; 1: the key is not good, or the verb failed, with one line on standard error."""
    asked = parser().parse_args(arguments)
    try:
        return int(asked.run(asked, deployment.find(environ, asked.base_url), say))
    except Mistake as mistake:
        print(mistake, file=sys.stderr)
        return 1
