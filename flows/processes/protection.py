"""Protects a server: by its Host, its Origin and the token of the output folder.

Every page in a browser and every user of the machine can send requests to loopback, and who else
is in the network to `rnnkit up --host`. Refused is

- another name in `Host` than this machine's or one of `rnnkit up --name`: a foreign page reaches
  the server under a name of its own (DNS rebinding);
- an `Origin` that is not the server itself: another page sent the request;
- a request without the token, which a browser has in a cookie and a client in `Authorization`.

The cookie is set by the address that opens the pages, `/?token=...`, which leads on to `/`.
"""

import base64
import hashlib
import hmac
import os

from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

HOSTS = ("127.0.0.1", "localhost")
NAMES_VARIABLE = "RNNKIT_NAMES"
"""Tells a server process further names of this machine, separated by commas."""
PARAMETER = "token"
FOREIGN = "This request comes from a page of another server."
UNKNOWN = (
    "This server needs the token of its output folder. In a browser open the address that rnnkit "
    "prints when it starts the server, such as rnnkit up; elsewhere send the header "
    "Authorization: Bearer TOKEN with what the folder's file `token` holds."
)


def protected(app: ASGIApp, token: str) -> ASGIApp:
    """An app that answers only requests for this machine, from its own pages, with the token."""
    further = filter(None, os.environ.get(NAMES_VARIABLE, "").split(","))
    hosts = (*HOSTS, *further)
    return TrustedHostMiddleware(TokenMiddleware(app, token), hosts, www_redirect=False)


class TokenMiddleware:
    """Refuses requests of other origins, and those without the token."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._token = app, token
        # Browsers send a cookie to every port of a host: its name differs between output folders.
        self.cookie = f"rnnkit-{hashlib.sha256(token.encode()).hexdigest()[:12]}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request, or passes it on."""
        if scope["type"] in ("http", "websocket") and (answer := self._answer(scope)) is not None:
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _answer(self, scope: Scope) -> Response | None:
        """The answer to a request that does not reach the app."""
        request = HTTPConnection(scope)
        origin = request.headers.get("origin")
        scheme = request.headers.get("x-forwarded-proto", "http")  # of a proxy that ends TLS
        if origin is not None and origin != f"{scheme}://{request.headers.get('host')}":
            return PlainTextResponse(FOREIGN, 403)
        if scope["type"] == "http" and self._is_token(request.query_params.get(PARAMETER, "")):
            answer = RedirectResponse(request.url.remove_query_params(PARAMETER), 303)
            answer.set_cookie(self.cookie, self._token, httponly=True, samesite="lax")
            return answer
        if self._is_token(request.cookies.get(self.cookie, "")) or self._is_token(_sent(request)):
            return None
        return PlainTextResponse(UNKNOWN, 401)

    def _is_token(self, text: str) -> bool:
        return hmac.compare_digest(text.encode(), self._token.encode())


def _sent(request: HTTPConnection) -> str:
    """The token in the header `Authorization`; empty if there is none."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value).decode().partition(":")[2]
        except ValueError:
            return ""
    return ""
