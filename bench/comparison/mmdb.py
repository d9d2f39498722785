"""A place database just large enough for a comparison: loopback lies in Finland.

MaxMind DB format 2.0, flat layout: a search tree of 32-bit records, a data section,
and the metadata. One network, so each node has one way on and one way out.
"""
import struct
import time

_STRING, _MAP, _UINT16, _UINT32, _ARRAY, _UINT64 = 2, 7, 5, 6, 11, 9


def _control(kind, size):
    # Kinds above 7 have their number in a byte of its own; sizes here are below 29,
    # but for texts, which may have one byte more of size.
    extended = bytes([kind - 7]) if kind > 7 else b""
    first = (kind if kind <= 7 else 0) << 5
    if size < 29:
        return bytes([first | size]) + extended
    return bytes([first | 29]) + extended + bytes([size - 29])


def _encode(value):
    if isinstance(value, str):
        raw = value.encode()
        return _control(_STRING, len(raw)) + raw
    if isinstance(value, dict):
        return _control(_MAP, len(value)) + b"".join(_encode(k) + _encode(v) for k, v in value.items())
    if isinstance(value, list):
        return _control(_ARRAY, len(value)) + b"".join(map(_encode, value))
    kind, number = value
    raw = number.to_bytes(8, "big").lstrip(b"\0")
    return _control(kind, len(raw)) + raw


def loopback_database():
    # ::127.0.0.0/104 of a tree over 128 bits, where IPv4 lives under ::/96.
    way = [0] * 96 + [0, 1, 1, 1, 1, 1, 1, 1]
    nodes = len(way)
    data = nodes + 16  # the first byte of the data section, 16 bytes behind the tree
    tree = b""
    for at, bit in enumerate(way):
        onward = at + 1 if at + 1 < nodes else data
        tree += struct.pack(">II", *((nodes, onward) if bit else (onward, nodes)))
    record = _encode({"country_code": "FI", "city": "Espoo", "autonomous_system_number": (_UINT32, 64512),
                      "autonomous_system_organization": "Loopback Oy"})
    metadata = _encode({
        "binary_format_major_version": (_UINT16, 2), "binary_format_minor_version": (_UINT16, 0),
        "build_epoch": (_UINT64, int(time.time())), "database_type": "gatebook-comparison",
        "description": {"en": "loopback"}, "ip_version": (_UINT16, 6), "languages": ["en"],
        "node_count": (_UINT32, nodes), "record_size": (_UINT16, 32)})
    return tree + bytes(16) + record + b"\xab\xcd\xefMaxMind.com" + metadata
