"""Requests by Python's http.client over one connection. usage: http_client.py PORT CA"""
import http.client
import ssl
import sys

port, ca = sys.argv[1:]
link = http.client.HTTPSConnection("localhost", int(port), timeout=20, context=ssl.create_default_context(cafile=ca))
sizes = []
for body in (None, b"small", b"x" * 300_000, iter([b"in ", b"pieces"])):
    link.request("POST" if body else "GET", "/echo", body)
    answer = link.getresponse()
    assert answer.status == 200, answer.status
    sizes.append(len(answer.read()))
link.request("HEAD", "/echo")
answer = link.getresponse()
assert answer.read() == b""
print(*sizes)
