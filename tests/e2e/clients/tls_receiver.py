"""Takes what TLS clients send and writes it to standard output.

usage: tls_receiver.py PORT CHAIN KEY [CLIENT_CA]
"""

import socket
import ssl
import sys
import threading


def receive(context, connection):
    try:
        with context.wrap_socket(connection, server_side=True) as tls:
            while data := tls.recv(65536):
                sys.stdout.buffer.write(data)
                sys.stdout.buffer.flush()
    except OSError as error:
        print(error, file=sys.stderr, flush=True)


def main():
    port, chain, key = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    if len(sys.argv) > 4:
        context.load_verify_locations(sys.argv[4])
        context.verify_mode = ssl.CERT_REQUIRED
    with socket.create_server(("127.0.0.1", port)) as listener:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=receive, args=(context, connection), daemon=True).start()


main()
