#!/usr/bin/env python3
"""Lines over QUIC on aioquic: each stream a line, which the server sends back reversed.

    quic_lines.py serve ADDRESS CERTIFICATE KEY
    quic_lines.py say ADDRESS KEY_LOG VERSION SUITE STEP...

A step is a line, or says what is done before the next: `update` the keys, `identifier` (another one of the server's),
`datagram` (the next line goes as one), `long` (it stands far down its stream), `ticket` and `early` (the next line is said
in the first flight, by a ticket that was got before).
"""
import asyncio
import pathlib
import pickle
import ssl
import sys

from aioquic.asyncio import QuicConnectionProtocol, connect, serve
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import StreamDataReceived
from aioquic.quic.packet import QuicProtocolVersion
from aioquic.tls import CipherSuite

PORT = 4434
PROTOCOL = "lines"
LONGEST = 1200


class Answers(QuicConnectionProtocol):
    said = None

    def quic_event_received(self, event):
        if isinstance(event, StreamDataReceived):
            self.said = (self.said or b"") + event.data
            if event.end_stream:
                self._quic.send_stream_data(event.stream_id, self.said[::-1], end_stream=True)
                self.said = None
                self.transmit()


class Says(QuicConnectionProtocol):
    def quic_event_received(self, event):
        """What comes back is for whoever listens."""


async def serve_lines(address, certificate, key):
    settings = QuicConfiguration(alpn_protocols=[PROTOCOL], is_client=False, max_datagram_frame_size=LONGEST)
    settings.load_cert_chain(certificate, key)
    tickets = {}
    await serve(address, PORT, configuration=settings, create_protocol=Answers,
                session_ticket_fetcher=lambda label: tickets.pop(label, None),
                session_ticket_handler=lambda ticket: tickets.update({ticket.ticket: ticket}))  # fmt: skip
    await asyncio.sleep(300)


async def say(address, key_log, version, suite, *steps):
    ticket = pathlib.Path(key_log + ".ticket")
    settings = QuicConfiguration(alpn_protocols=[PROTOCOL], is_client=True, verify_mode=ssl.CERT_NONE,
                                 max_datagram_frame_size=LONGEST, cipher_suites=[CipherSuite[suite]])  # fmt: skip
    settings.server_name = "lines.example"
    settings.original_version = QuicProtocolVersion[f"VERSION_{version}"]
    settings.supported_versions = [settings.original_version]
    early = "early" in steps
    if early:
        settings.session_ticket = pickle.loads(ticket.read_bytes())
    with open(key_log, "a") as settings.secrets_log_file:
        keep = (lambda got: ticket.write_bytes(pickle.dumps(got))) if "ticket" in steps else None
        async with connect(address, PORT, configuration=settings, wait_connected=not early,
                           create_protocol=Says, session_ticket_handler=keep) as client:  # fmt: skip
            await walk(client, steps)


async def walk(client, steps):
    quic, padding, as_datagram = client._quic, b"", False
    for step in steps:
        if step == "update":
            quic.request_key_update()
        elif step == "identifier":
            quic.change_connection_id()
        elif step == "long":
            padding = b"." * 5000
        elif step == "datagram":
            as_datagram = True
        elif step not in ("ticket", "early"):
            if as_datagram:
                quic.send_datagram_frame(step.encode())
            else:
                stream = quic.get_next_available_stream_id()
                quic.send_stream_data(stream, padding + step.encode(), end_stream=True)
            padding, as_datagram = b"", False
            client.transmit()
            await asyncio.sleep(0.3)


if __name__ == "__main__":
    asyncio.run({"serve": serve_lines, "say": say}[sys.argv[1]](*sys.argv[2:]))
