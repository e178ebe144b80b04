"""The path of a request: as Kestrel reads it, and as the host rewrites it for the worker.

The recordings of the Functions host have most cases. Kestrel's and YARP's source has the others.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.host.http.path import forwarded_path, request_path


@pytest.mark.parametrize(
    ("raw", "path", "forwarded"),
    [
        ("/a%20b", "/a b", "/a%20b"),
        ("/a%2Fb%2fc", "/a%2Fb%2fc", "/a%252Fb%252fc"),
        ("/a%5Cb\\", "/a\\b\\", "/a%5Cb%5C"),
        ("/a%2525", "/a%25", "/a%2525"),
        ("/%252e%252e", "/%2e%2e", "/%252e%252e"),
        ("/a%+%2+%zz", "/a%+%2+%zz", "/a%25+%252+%25zz"),
        ("/%c3%A9", "/é", "/%C3%A9"),
        ("/%e9%C3%A9", "/%e9é", "/%25e9%C3%A9"),
        ("/%E2%82a%C3%2F", "/%E2%82a%C3%2F", "/%25E2%2582a%25C3%252F"),
        ("/%ED%A0%80", "/%ED%A0%80", "/%25ED%25A0%2580"),
        ("/%F0%9F%98%80", "/😀", "/%F0%9F%98%80"),
        ("/a%0D%0A%09%7F", "/a\r\n\t\x7f", "/a%0D%0A%09%7F"),
        ("/-._~!$&'()*+,;=:@", "/-._~!$&'()*+,;=:@", "/-._~!$&'()*+,;=:@"),
        ('/|{}"<>^`[]#%3F', '/|{}"<>^`[]#?', "/%7C%7B%7D%22%3C%3E%5E%60%5B%5D%23%3F"),
        ("/a/../b", "/b", "/b"),
        ("/a/%2e%2E/b/.", "/b/", "/b/"),
        ("/../../a", "/a", "/a"),
        ("/a/..", "/", "/"),
        ("/a//../b", "/a/b", "/a/b"),
        ("/a/...", "/a/...", "/a/..."),
        ("/a/..%2Fb", "/a/..%2Fb", "/a/..%252Fb"),
        ("//", "//", "//"),
        ("*", "", ""),
    ],
)
def test_a_path_is_decoded_once_loses_its_dots_and_is_written_anew(raw: str, path: str, forwarded: str) -> None:
    assert request_path(raw) == path
    assert forwarded_path(path) == forwarded.encode()


@pytest.mark.parametrize("raw", ["/a%00b", "/%C3%00", "/é", "/\xc3\xa9", "/a\0"])
def test_a_null_and_a_byte_outside_of_ascii_are_refused(raw: str) -> None:
    assert request_path(raw) is None


@given(st.text(st.characters(max_codepoint=0xFF)).map(lambda text: f"/{text}"))
def test_no_path_fails(raw: str) -> None:
    path = request_path(raw)
    if path is not None:
        assert not {".", ".."} & set(path.split("/"))
        assert request_path(forwarded_path(path).decode()) == path
