#!/usr/bin/env python3
"""Opens TLS connections, makes one request on each, and holds them until standard input ends.

usage: hold_connections.py PORT COUNT   (prints "held" when all are open)
"""
import resource
import socket
import ssl
import sys


def main():
    port, count = int(sys.argv[1]), int(sys.argv[2])
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    held = []
    for _ in range(count):
        link = context.wrap_socket(socket.create_connection(("127.0.0.1", port), 10), server_hostname="localhost")
        link.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        got = b""
        while b"\r\n\r\n" not in got or len(got.partition(b"\r\n\r\n")[2]) < 1024:
            got += link.recv(8192)
        held.append(link)
    print("held", flush=True)
    sys.stdin.read()


main()
