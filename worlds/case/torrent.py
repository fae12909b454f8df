#!/usr/bin/env python3
"""Prints the metainfo (BEP 3) of one file.

    torrent.py FILE ANNOUNCE_URL > FILE.torrent 2> INFO_HASH
"""
import hashlib
import pathlib
import sys

PIECE = 16384


def bencode(value):
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, dict):
        return b"d" + b"".join(bencode(k.encode()) + bencode(v) for k, v in sorted(value.items())) + b"e"
    text = value if isinstance(value, bytes) else value.encode()
    return b"%d:%s" % (len(text), text)


def main(path, announce):
    content = pathlib.Path(path).read_bytes()
    pieces = [content[at : at + PIECE] for at in range(0, len(content), PIECE)]
    hashes = b"".join(hashlib.sha1(piece).digest() for piece in pieces)
    described = {"name": pathlib.Path(path).name, "length": len(content), "piece length": PIECE, "pieces": hashes}
    print(hashlib.sha1(bencode(described)).hexdigest(), file=sys.stderr)
    sys.stdout.buffer.write(bencode({"announce": announce, "info": described}))


if __name__ == "__main__":
    main(*sys.argv[1:])
