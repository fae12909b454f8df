#!/usr/bin/env python3
"""An HTTP/3 client on aioquic whose ClientHello needs several packets.

    quic_client.py HOST CA_FILE VERSION
"""
import asyncio
import ssl
import sys

from aioquic.asyncio import QuicConnectionProtocol, connect
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.packet import QuicProtocolVersion


async def main(host, ca_file, version):
    offered = H3_ALPN + [f"protocol-number-{number:03}" for number in range(150)]
    settings = QuicConfiguration(alpn_protocols=offered, is_client=True, verify_mode=ssl.CERT_REQUIRED)
    settings.load_verify_locations(ca_file)
    settings.server_name = host
    settings.original_version = QuicProtocolVersion[f"VERSION_{version}"]
    settings.supported_versions = [settings.original_version]
    async with connect(host, 443, configuration=settings, create_protocol=QuicConnectionProtocol) as client:
        http = H3Connection(client._quic)
        stream = client._quic.get_next_available_stream_id()
        fields = {":method": "GET", ":scheme": "https", ":authority": host, ":path": "/"}
        http.send_headers(stream, [(k.encode(), v.encode()) for k, v in fields.items()], end_stream=True)
        client.transmit()
        await asyncio.sleep(0.3)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
