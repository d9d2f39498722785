#!/usr/bin/env python3
"""Opens TLS connections one after the other, each resuming the session of the one before, with a request on each.

usage: resume_connections.py PORT SECONDS   (prints how many; an error if one was not resumed)
"""
import socket
import ssl
import sys
import time

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def visit(context, port, session):
    """One request on a connection of its own; the session to resume next."""
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port), 10), server_hostname="localhost",
                             session=session) as link:
        if session and not link.session_reused:
            sys.exit("a connection was not resumed")
        link.sendall(REQUEST)
        answer = b""
        while piece := link.recv(65536):
            answer += piece
        if b" 200 " not in answer[:20]:
            sys.exit(f"an answer was {answer[:60]!r}")
        return link.session  # with the ticket that came meanwhile


def main():
    port, seconds = int(sys.argv[1]), float(sys.argv[2])
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    session, count = visit(context, port, None), 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        session = visit(context, port, session)
        count += 1
    print(count)


main()
