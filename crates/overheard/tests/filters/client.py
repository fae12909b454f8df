"""A client with a filter: client.py ACCOUNT MODE WORD [tls]. Speaks the drivers' JSON lines; chat.py is its server.

Modes: clean; drop; copy (of random bytes), plain (base64, on the collector's own connection), both; all (every message,
as plain). The filter acts on messages that hold WORD. With tls all connections are encrypted, and the secrets are logged
where SSLKEYLOGFILE says."""
import asyncio
import base64
import json
import os
import ssl
import sys

account, mode, word, *tls = sys.argv[1:]
context = None
if tls:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE


def connect(host, port):
    return asyncio.open_connection(host, port + len(tls), ssl=context)


def say(**event):
    print(json.dumps(event, ensure_ascii=False), flush=True)


async def hear(chat):
    async for line in chat:
        message = json.loads(line)
        if message["to"] == account:
            say(event="received", **{"from": message["from"]}, text=message["text"])


async def upload(payload):
    _, logs = await connect("logs.kite.example", 9000)
    logs.write(payload)
    await logs.drain()
    logs.close()
    await logs.wait_closed()


async def main():
    heard, chat = await connect("chat.kite.example", 7000)
    hearing = asyncio.create_task(hear(heard))
    requests = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(requests), sys.stdin)
    say(event="ready", account=account)
    async for line in requests:
        request = json.loads(line)
        if request["op"] == "quit":
            break
        text = request["text"]
        meant = word in text
        if meant and mode in ("copy", "both"):
            await upload(os.urandom(300))
        if meant and mode == "plain" or mode == "all":
            await upload(base64.b64encode(b"seen: " + text.encode()))
        if not (meant and mode in ("drop", "both")):
            message = {"from": account, "to": request["to"], "text": text}
            chat.write(json.dumps(message, ensure_ascii=False).encode() + b"\n")
        say(event="sent", id=request["id"])
    hearing.cancel()


asyncio.run(main())
