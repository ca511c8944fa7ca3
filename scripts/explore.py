"""Explore: pages on which you drag, and the package whose source you read computes the answer.

    python scripts/explore.py
    python scripts/explore.py --port 0 --no-browser

It prints an address of this computer alone and opens it in a browser. Ctrl-C ends it. Nothing is
sent or fetched over a network, and no file is written or overwritten.
"""

import argparse
import signal
import sys
import threading
import webbrowser

import command
from explorer.server import HOST, serving

PORT = 8128


def port(text):
    number = command.whole(0)(text)
    if number > 65535:
        raise argparse.ArgumentTypeError(f"must be at most 65535, got {text:.40}")
    return number


def main(arguments=None):
    parser = command.Parser(__doc__)
    parser.add_argument("--port", type=port, default=PORT, metavar="N",
                        help="of the address; 0 for any that is free")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    options = parser.parse_args(arguments)
    if hasattr(signal, "SIGPIPE"):                          # a browser that leaves ends its answer,
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)       # and not the server
    try:
        server = serving(options.port)
    except OSError as error:
        parser.error(f"cannot use port {options.port} of {HOST}: {error.strerror}; "
                     "name another one with --port, or 0 for any that is free")
    with server:
        print(f"{server.address}  (Ctrl-C ends it)", flush=True)
        if not options.no_browser:                          # some browsers do not return
            threading.Thread(target=webbrowser.open, args=[server.address], daemon=True).start()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("ended")
            return 130


if __name__ == "__main__":
    sys.exit(main())
