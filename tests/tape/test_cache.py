"""The cache spares a second reading of a cassette, and no result ever depends on it."""

import marshal
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from emulator.match.library import Library
from emulator.stack import ROOT
from emulator.tape import cache, cassette, document
from emulator.tape.cassette import Cassette

SHOWN = ROOT / "cassettes/responses/retrieve_include.yaml"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder."""
    monkeypatch.setenv(cache.SETTING, str(tmp_path / "cache"))
    return tmp_path / "cache"


def read(path: Path = SHOWN) -> Cassette:
    return cassette.load(path, "shown")


def entry(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The contents of the files that the emulator parses while the test runs."""
    contents, parse = list[bytes](), document.parse

    def noted(content: bytes, is_json: bool = False) -> object:
        contents.append(content)
        return parse(content, is_json)

    monkeypatch.setattr(document, "parse", noted)
    return contents


def test_the_second_reading_parses_nothing_and_gives_the_same(folder: Path, parsed: list[bytes]) -> None:
    first, second = read(), read()
    assert parsed == [SHOWN.read_bytes()]
    assert first == second
    assert [item.request.meaning for item in first.interactions] == [
        item.request.meaning for item in second.interactions
    ]
    assert Library(first.interactions).deployments() == Library(second.interactions).deployments()


def test_every_cassette_is_the_same_from_the_cache(folder: Path) -> None:
    files = cassette.find([ROOT / "cassettes"])
    assert [cassette.load(*file) for file in files] == [cassette.load(*file) for file in files]
    assert len(list(folder.iterdir())) == len(files)


def test_the_name_of_a_recording_is_that_of_its_file(folder: Path, tmp_path: Path) -> None:
    read()
    (tmp_path / "copy.yaml").write_bytes(SHOWN.read_bytes())
    assert cassette.load(tmp_path / "copy.yaml").interactions[0].label == "copy #1"


def test_one_byte_more_is_another_cassette(folder: Path, tmp_path: Path, parsed: list[bytes]) -> None:
    read()
    changed = tmp_path / "changed.yaml"
    changed.write_bytes(SHOWN.read_bytes() + b"\n")
    read(changed)
    assert len(parsed) == 2


def test_the_same_bytes_may_be_json_here_and_yaml_there(folder: Path, tmp_path: Path) -> None:
    for suffix in ("json", "yaml"):
        (tmp_path / f"c.{suffix}").write_text('{"interactions": [], "x-emulator": {"number": 1e5}}')
    notes = [cassette.load(tmp_path / f"c.{suffix}").notes["number"] for suffix in ("json", "yaml")]
    assert notes == [1e5, "1e5"]


def test_a_file_that_is_refused_is_refused_every_time(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("interactions: [5]\n")
    for _ in range(2):
        with pytest.raises(cassette.CassetteError, match="interaction 1"):
            cassette.load(tmp_path / "c.yaml")


DAMAGES = {
    "empty": lambda data: b"",
    "cut": lambda data: data[:-1],
    "longer": lambda data: data + b"x",
    "a bit": lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:],
    "zeros": lambda data: bytes(len(data)),
    "nothing but a checksum": lambda data: cache.checked(b""),
    "no entry": lambda data: cache.checked(b"no entry"),
    "another form": lambda data: cache.checked(marshal.dumps(("notes", [("a", "b", "c")]))),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_entry_is_read_anew_and_mended(name: str, folder: Path, parsed: list[bytes]) -> None:
    sound = read()
    path = entry(folder)
    path.write_bytes(DAMAGES[name](path.read_bytes()))
    assert read() == sound
    assert len(parsed) == 2
    assert read() == sound
    assert len(parsed) == 2


def test_off_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parsed: list[bytes]) -> None:
    monkeypatch.setenv(cache.SETTING, "off")
    monkeypatch.chdir(tmp_path)
    assert read() == read()
    assert len(parsed) == 2
    assert not list(tmp_path.iterdir())


def in_the_way(folder: Path) -> None:
    folder.write_text("a file")


def shared(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)


def nowhere(folder: Path) -> None:
    folder.symlink_to("/proc/nowhere")


@pytest.mark.skipif(os.name == "nt", reason="owners and modes as on Unix")
@pytest.mark.parametrize("make", [in_the_way, shared, nowhere])
def test_a_folder_that_is_not_ours_alone_is_not_used(make: object, folder: Path, parsed: list[bytes]) -> None:
    assert callable(make)
    make(folder)
    assert read() == read()
    assert len(parsed) == 2


def test_a_full_disk_is_no_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache.os, "replace", full)
    assert read() == read()


def test_only_the_user_can_read_it(folder: Path) -> None:
    """The cache may hold prompts."""
    read()
    if os.name != "nt":
        assert (folder.stat().st_mode & 0o777, entry(folder).stat().st_mode & 0o777) == (0o700, 0o600)


def test_what_was_not_used_for_a_month_goes(folder: Path) -> None:
    read()
    old = folder / "old"
    old.write_bytes(b"")
    os.utime(old, (0, 0))
    cache._remove_unused.cache_clear()
    cache.keep(b"other", "yaml", {}, [])
    assert not old.exists()
    assert len(list(folder.iterdir())) == 2


def test_what_is_used_stays(folder: Path) -> None:
    read()
    os.utime(entry(folder), (0, 0))
    read()
    assert entry(folder).stat().st_mtime > 0


def test_another_version_of_this_package_reads_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read()
    monkeypatch.setattr(cache, "_sources", lambda: b"other sources")
    read()
    assert len(list(folder.iterdir())) == 2


def test_many_processes_at_once_read_the_same(folder: Path) -> None:
    code = (
        "from pathlib import Path; from emulator.match.library import Library\n"
        "library = Library.from_folders([Path('cassettes')])\n"
        "print(len(library.interactions()), library.problems)"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    answers = {process.communicate(timeout=60)[0] for process in started}
    assert answers == {f"{len(Library.from_folders([ROOT / 'cassettes']).interactions())} []\n"}


def test_a_changed_request_means_something_else(folder: Path) -> None:
    read()
    request = read().interactions[0].request
    other = replace(request, method="DELETE")
    assert request.meaning != other.meaning
