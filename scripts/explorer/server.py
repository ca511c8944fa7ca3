"""Server: what the browser is given, and who may ask.

It listens on this computer alone. Yet any page open in the same browser could ask it for things, or
have its own name point here (DNS rebinding). So a request must name this host as its Host, and come
from a page of this origin if it comes from a page; and all pages forbid, by their headers, what is
not from here. There is nothing to write: GET and HEAD are all that is understood.

    /               the page                /static/NAME        its files, read at the start
    /api/PANEL/QUESTION?name=JSON&...       an answer of panels.py, as JSON
    /book/...       the book, built by make_book.py when it is first asked for

What goes wrong is JSON as well, {"error": one sentence}: 400 the package or questions.py refuses an
argument, 403 a stranger asks, 404 there is no such thing, 405 another method, 413 a body, 414 too
long, 500 a fault of the server or a broken file.
"""

import json
import mimetypes
import os
import sys
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, unquote

from command import WrongUse, one_line
from explorer.book import Book
from explorer.panels import PANELS
from explorer.questions import arguments, plain, source

HOST, STATIC = "127.0.0.1", Path(__file__).parent / "static"
LONGEST, PATIENCE = 2000, 30                                # characters of an address; seconds
OURS = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; " \
       "form-action 'none'; frame-ancestors 'none'"
OF_THE_BOOK = f"{OURS}; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; " \
              "font-src data:"                              # the book brings its letters along
mimetypes.add_type("text/javascript", ".js")                # some Windows say otherwise


class Refused(Exception):
    """A status and a sentence for the one who asked."""

    def __init__(self, status, sentence):
        super().__init__(sentence)
        self.status = status


class Server(ThreadingHTTPServer):
    daemon_threads = True                                   # nobody waits for them at the end
    allow_reuse_address = os.name == "posix"                # elsewhere two could share a port

    def __init__(self, port):
        self.files = {path.name: path.read_bytes() for path in STATIC.iterdir()}
        self.book = Book()
        super().__init__((HOST, port), Handler)
        self.hosts = [f"{name}:{self.server_port}" for name in (HOST, "localhost")]
        if self.server_port == 80:
            self.hosts += [HOST, "localhost"]
        self.address = f"http://{self.hosts[0]}/"

    def handle_error(self, request, client_address):
        """A browser that has left is no fault; anything else is told on the terminal."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            traceback.print_exc()


def serving(port):
    """A server that listens, not yet answering; OSError if the port cannot be used."""
    return Server(port)


class Handler(BaseHTTPRequestHandler):
    protocol_version, timeout = "HTTP/1.1", PATIENCE
    disable_nagle_algorithm = True                          # else content waits 40 ms for its turn

    def do_GET(self):
        try:
            self._admit()
            self._send(*self._found(*self.path.partition("?")[::2]))
        except Refused as error:
            self._say(error.status, error)
        except (WrongUse, OSError) as error:                # a file that is broken or not there
            if isinstance(error, ConnectionError | TimeoutError):
                raise
            self._say(500, error)
        except Exception:
            traceback.print_exc()
            self._say(500, "the server made a mistake; its terminal says which")

    do_HEAD = do_GET

    def _admit(self):
        """Refused, unless the request is for this host, from this origin, and of a sane size."""
        if self.headers.defects:                            # those below a bad line are not read
            raise Refused(400, "the headers cannot be read")
        hosts, origins, lengths = (self.headers.get_all(name, [])
                                   for name in ("Host", "Origin", "Content-Length"))
        if len(hosts) != 1 or hosts[0].lower() not in self.server.hosts:
            raise Refused(403, f"only requests to {self.server.hosts[0]} are answered")
        if any(origin not in [f"http://{host}" for host in self.server.hosts]
               for origin in origins):
            raise Refused(403, "only requests of this server's own pages are answered")
        visits = self.headers.get("Sec-Fetch-Mode") == "navigate"       # someone follows a link
        if (self.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none")
                and not (visits and not unquote(self.path).startswith("/api/"))):
            raise Refused(403, "only requests of this server's own pages are answered")
        if len(self.path) > LONGEST:
            raise Refused(414, f"an address has at most {LONGEST} characters")
        if set(lengths) - {"0"} or "Transfer-Encoding" in self.headers:
            self.close_connection = True                    # what follows would be a request
            raise Refused(413, "a request has no body here")

    def _found(self, path, query):
        """The status, the content and the media type of an address."""
        path = unquote(path)
        match path.split("/"):
            case ["", ""]:
                return 200, self.server.files["index.html"], "text/html"
            case ["", "static", name] if name in self.server.files:
                return 200, self.server.files[name], mimetypes.guess_type(name)[0]
            case ["", "api", panel, question]:
                return 200, self._answer(panel, question, query), "application/json"
            case ["", "book"]:                              # from there, links of its pages lead on
                return 302, b"", "text/html", {"Location": "/book/index.html"}
            case ["", "book", *_]:
                name = path.removeprefix("/book").strip("/") or "index.html"
                status, content = self.server.book.page(name)
                kind = mimetypes.guess_type(name)[0] if status == 200 else "text/html"
                return status, content, kind or "application/octet-stream"
        raise Refused(404, f"there is no {one_line(path, 80)} here")

    def _answer(self, panel, name, query):
        """The answer to a question as JSON, with its sources and how many seconds it took."""
        question = getattr(PANELS.get(panel), "QUESTIONS", {}).get(name)
        if question is None:
            raise Refused(404, f"there is no question {one_line(f'{panel}/{name}', 80)}")
        start = time.perf_counter()
        try:
            texts = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query),
                              errors="strict")
            answer = question(**arguments(question, texts))
        except (ValueError, TypeError) as error:
            raise Refused(400, one_line(error)) from error
        sources = question.sources + [source(each) for each in answer.pop("answered_by", ())]
        answer |= {"answered_by": sources, "seconds": time.perf_counter() - start}
        return json.dumps(plain(answer), allow_nan=False).encode()

    def _say(self, status, sentence):
        body = json.dumps({"error": one_line(sentence)}).encode()
        self._send(status, body, "application/json")

    def send_error(self, code, message=None, explain=None):
        """What http.server itself refuses, such as another method or a line without end."""
        self.close_connection = True
        if code == 501:
            code, message = 405, "only GET and HEAD are understood here"
        self._say(int(code), message or self.responses[code][0])

    def _send(self, status, content, kind, more=None):
        self.send_response(status)
        text = kind.startswith("text/") or kind == "application/json"
        in_book = getattr(self, "path", "").startswith("/book/")
        headers = {"Content-Type": f"{kind}; charset=utf-8" if text else kind,
                   "Content-Length": str(len(content)), "Cache-Control": "no-store",
                   "Content-Security-Policy": OF_THE_BOOK if in_book else OURS,
                   "Cross-Origin-Resource-Policy": "same-origin", "Referrer-Policy": "no-referrer",
                   "X-Content-Type-Options": "nosniff"} | (more or {})
        if self.close_connection:
            headers["Connection"] = "close"
        if status == 405:
            headers["Allow"] = "GET, HEAD"
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def version_string(self):
        return "gdl_numpy"

    def log_message(self, *_):
        """Nothing: the terminal is for the address and for faults."""
