"""A chat server and a collector: the one passes each line on to all others, the other takes what it is sent.

chat.py ROLE ADDRESS PORT [tls]: with tls, behind a certificate made for the occasion."""
import asyncio
import ssl
import subprocess
import sys
import tempfile

role, address, port, *tls = sys.argv[1:]
clients = []


async def serve(reader, writer):
    clients.append(writer)
    try:
        async for line in reader:
            for other in clients:
                if role == "chat" and other is not writer:
                    other.write(line)
    except OSError:
        pass
    clients.remove(writer)
    writer.close()


def certified():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = f"{folder}/key.pem", f"{folder}/certificate.pem"
        request = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=kite.example"
        made = [*request.split(), "-keyout", key, "-out", certificate]
        subprocess.run(made, check=True, stderr=subprocess.DEVNULL)
        context.load_cert_chain(certificate, key)
    return context


async def main():
    server = await asyncio.start_server(serve, address, int(port), ssl=certified() if tls else None)
    await server.serve_forever()


asyncio.run(main())
