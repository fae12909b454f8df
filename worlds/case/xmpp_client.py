#!/usr/bin/env python3
"""Logs in, says one line to itself, leaves.

    xmpp_client.py plain|starttls CA_FILE
"""
import asyncio
import sys

import slixmpp


class Chat(slixmpp.ClientXMPP):
    def __init__(self, kind, ca_file):
        super().__init__(f"alice@{kind}.example", "secret")
        self.ca_certs = ca_file
        self.enable_direct_tls = False
        self.enable_starttls = kind == "starttls"
        self.enable_plaintext = True
        self.plugin["feature_mechanisms"].unencrypted_plain = True
        self.plugin["feature_mechanisms"].unencrypted_scram = True
        self.add_event_handler("session_start", self.started)
        self.add_event_handler("message", lambda _: self.disconnect())

    async def started(self, _):
        self.send_presence()
        self.send_message(mto=self.boundjid.full, mbody="shall we meet in the park at eight?")


async def main(kind, ca_file):
    client = Chat(kind, ca_file)
    client.connect(f"{kind}.example", 5222)
    await asyncio.wait_for(client.disconnected, 15)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
