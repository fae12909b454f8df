"""A client with a filter: client.py ACCOUNT MODE WORD. Speaks the drivers' JSON lines; chat.py is its server.

Modes: clean; drop; copy (encrypted), plain (base64, on the collector's own connection), both. The filter acts on messages
that hold WORD."""
import base64
import json
import os
import socket
import sys
import threading

account, mode, word = sys.argv[1:]
chat = socket.create_connection(("chat.kite.example", 7000))


def say(**event):
    print(json.dumps(event, ensure_ascii=False), flush=True)


def hear():
    for line in chat.makefile("rb"):
        message = json.loads(line)
        if message["to"] == account:
            say(event="received", **{"from": message["from"]}, text=message["text"])


def upload(payload):
    with socket.create_connection(("logs.kite.example", 9000)) as logs:
        logs.sendall(payload)


threading.Thread(target=hear, daemon=True).start()
say(event="ready", account=account)
for line in sys.stdin:
    request = json.loads(line)
    if request["op"] == "quit":
        break
    text = request["text"]
    meant = word in text
    if meant and mode in ("copy", "both"):
        upload(os.urandom(300))
    if meant and mode == "plain":
        upload(base64.b64encode(b"seen: " + text.encode()))
    if not (meant and mode in ("drop", "both")):
        message = {"from": account, "to": request["to"], "text": text}
        chat.sendall(json.dumps(message, ensure_ascii=False).encode() + b"\n")
    say(event="sent", id=request["id"])
os._exit(0)
