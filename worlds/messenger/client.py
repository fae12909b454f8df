#!/usr/bin/env python3
"""The messenger: does with real programs what one run of a build is planned to do.

    client.py PLAN BUILD/RUN CA_FILE

Names are resolved by the C library from the world's DNS; curl, gtlsclient (ngtcp2), slixmpp and
turnutils_stunclient (coturn) do the talking. The update check answers with a redirection, which
decides where the new version comes from: that is how the co-branded build's download is taken over.
"""
import asyncio
import json
import subprocess
import sys
import time

import slixmpp

LIMIT = 15  # seconds that any one contact may take


def program(*command):
    subprocess.run(command, timeout=LIMIT, check=True, stdout=subprocess.DEVNULL)


def curl(*arguments):
    program("curl", "--silent", "--show-error", "--fail", "--max-time", str(LIMIT), *arguments)


class Chat(slixmpp.ClientXMPP):
    """Logs in, says one line to itself, leaves."""

    def __init__(self, ca_file):
        super().__init__("alice@kite.example", "secret-of-alice")
        self.ca_certs = ca_file
        self.enable_direct_tls = False
        self.add_event_handler("session_start", self.started)
        self.add_event_handler("message", self.heard)

    async def started(self, _):
        self.send_presence()
        self.send_message(mto=self.boundjid.full, mbody="shall we meet in the park at eight?")

    def heard(self, _):
        self.disconnect()


async def chat(host, ca_file):
    client = Chat(ca_file)
    client.connect(host, 5222)
    await asyncio.wait_for(client.disconnected, LIMIT)


def contact(step, build, ca_file):
    name, how = step["name"], step["how"]
    agent = ["--user-agent", f"Kite/5.1 ({build})"]
    if how == "https-tls13":
        curl(*agent, "--cacert", ca_file, "--tlsv1.3", f"https://{name}/v1/session")
    elif how == "https-tls12":
        curl(*agent, "--cacert", ca_file, "--tls-max", "1.2", f"https://{name}/v1/settings")
    elif how == "http" and name == "update.kite.example":
        curl(*agent, "--location", f"http://{name}/latest?build={build}")
    elif how == "http":
        curl(*agent, f"http://{name}/list.txt")
    elif how == "http-post":
        curl(*agent, "--data", "user=alice&to=bob&text=shall+we+meet", f"http://{name}/log")
    elif how == "xmpp":
        asyncio.run(chat(name, ca_file))
    elif how == "quic":
        program("gtlsclient", "-q", "--exit-on-all-streams-close", "--timeout=3s",
                name, "443", f"https://{name}/people.json")
    elif how == "stun":
        program("turnutils_stunclient", name)
    else:
        raise ValueError(how)


def main():
    plan_file, run, ca_file = sys.argv[1:]
    with open(plan_file) as text:
        steps = json.load(text)["contacts"][run]
    build = run.split("/")[0]
    for step in steps:
        # The redirection of the update check leads to the download host by itself.
        if not step["name"].startswith("download."):
            contact(step, build, ca_file)
            time.sleep(0.05)


if __name__ == "__main__":
    main()
