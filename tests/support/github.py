"""GitHub's issue-comments API on the loopback, in good and bad moods.

It knows nothing of slugcheck: comments are kept, listed in pages with Link headers, and edited, as
GitHub's REST documentation says. ``own`` is the user that the token belongs to.
"""

from __future__ import annotations

import json
import re
from enum import StrEnum
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.loopback import LoopbackServer

TOKEN = "ghs_secret0123456789"
REPOSITORY = "owner/app"
_LIST = f"/repos/{REPOSITORY}/issues/7/comments"
_ONE = re.compile(rf"/repos/{REPOSITORY}/issues/comments/(\d+)")


class Mood(StrEnum):
    """How GitHub answers."""

    GOOD = "good"
    READ_ONLY = "reads are fine, writes are 403: a pull request from a fork"
    ABSENT = "404"
    ERROR = "500"
    LIMITED = "403 with no requests left"
    HTML = "an HTML page"
    OBJECT = "an object, whatever was asked for"
    LIST = "a list, whatever was asked for"
    ELSEWHERE = "the next page is on another host"
    UNPROCESSABLE = "422 to writes: the body is too long"


class GithubServer(LoopbackServer):
    """The service. ``page`` comments to a page, whatever is asked for."""

    def __init__(self, mood: Mood = Mood.GOOD, *, page: int = 2) -> None:
        self.mood = mood
        self.page = page
        self.own: dict[str, str] = {"login": "github-actions[bot]", "type": "Bot"}
        self.viewer = "github-actions[bot]"  # what GraphQL says of the token; "" for 404
        self.head = ""  # the pull request's newest commit
        self.comments: list[dict[str, Any]] = []
        self.asked: list[tuple[str, str, str]] = []  # method, path, Authorization
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service._answer(self)

            do_POST = do_PATCH = do_GET

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(Handler)
        self.url = f"http://{self.address}"

    def add(self, body: str, login: str = "someone", kind: str = "User") -> dict[str, Any]:
        """Somebody comments."""
        identity = 100 + len(self.comments)
        address = f"https://github.example/{REPOSITORY}/pull/7#issuecomment-{identity}"
        comment = {
            "id": identity, "body": body, "user": {"login": login, "type": kind},
            "html_url": address,
        }  # fmt: skip
        self.comments.append(comment)
        return comment

    # ----------------------------------------------------------------- answers

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        length = int(request.headers.get("Content-Length") or 0)
        body = json.loads(request.rfile.read(length)) if length else {}
        signed = request.headers.get("Authorization", "")
        self.asked.append((request.command, request.path, signed))
        status, found, headers = self._found(request, body, signed)
        content = found if isinstance(found, bytes) else json.dumps(found).encode()
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    def _found(
        self, request: BaseHTTPRequestHandler, body: dict[str, Any], signed: str
    ) -> tuple[int, Any, dict[str, str]]:
        writes = request.command != "GET"
        if signed != f"Bearer {TOKEN}":
            return 401, {"message": "Bad credentials"}, {}
        match self.mood:
            case Mood.ERROR:
                return 500, {"message": "it hurts"}, {}
            case Mood.HTML:
                return 200, b"<html>hello</html>", {}
            case Mood.OBJECT:
                return 200, {"message": "hello"}, {}
            case Mood.LIST:
                return 200, [], {}
            case Mood.ABSENT:
                return 404, {"message": "Not Found"}, {}
            case Mood.LIMITED:
                said = {"message": "API rate limit exceeded"}
                return 403, said, {"X-RateLimit-Remaining": "0"}
            case Mood.UNPROCESSABLE if writes:
                return 422, {"message": "Body is too long"}, {}
            case Mood.READ_ONLY if writes:
                return 403, {"message": "Resource not accessible by integration"}, {}
        return self._good(request, body)

    def _good(
        self, request: BaseHTTPRequestHandler, body: dict[str, Any]
    ) -> tuple[int, Any, dict[str, str]]:
        parts = urlsplit(request.path)
        if parts.path == "/user":
            if self.own["type"] == "Bot":
                return 403, {"message": "Resource not accessible by integration"}, {}
            return 200, self.own, {}
        if parts.path == "/graphql" and self.viewer:
            return 200, {"data": {"viewer": {"login": self.viewer}}}, {}
        if parts.path == f"/repos/{REPOSITORY}/pulls/7" and self.head:
            return 200, {"number": 7, "head": {"sha": self.head}}, {}
        if parts.path == _LIST and request.command == "POST":
            return 201, self.add(body["body"], self.own["login"], self.own["type"]), {}
        if parts.path == _LIST:
            return self._page(int(parse_qs(parts.query).get("page", ["1"])[0]))
        found = _ONE.fullmatch(parts.path)
        wanted = [c for c in self.comments if found and c["id"] == int(found[1])]
        if wanted and request.command == "PATCH":
            wanted[0]["body"] = body["body"]
            return 200, wanted[0], {}
        return 404, {"message": "Not Found"}, {}

    def _page(self, number: int) -> tuple[int, Any, dict[str, str]]:
        shown = self.comments[(number - 1) * self.page : number * self.page]
        headers = {}
        if number * self.page < len(self.comments):
            host = "http://127.0.0.1:9" if self.mood is Mood.ELSEWHERE else self.url
            headers["Link"] = f'<{host}{_LIST}?page={number + 1}>; rel="next"'
        return 200, shown, headers
