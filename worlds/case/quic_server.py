#!/usr/bin/env python3
"""A QUIC server on aioquic that speaks versions 1 and 2 and closes what it does not understand.

    quic_server.py ADDRESS CERTIFICATE KEY
"""
import asyncio
import sys

from aioquic.asyncio import serve
from aioquic.h3.connection import H3_ALPN
from aioquic.quic.configuration import QuicConfiguration


async def main(address, certificate, key):
    settings = QuicConfiguration(alpn_protocols=H3_ALPN, is_client=False)
    settings.load_cert_chain(certificate, key)
    await serve(address, 443, configuration=settings)
    await asyncio.sleep(300)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
