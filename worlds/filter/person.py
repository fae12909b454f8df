"""The person at the keyboard is a driver of JSON lines: a plug-in for poezio that says what it is asked to say in a
conversation, as if it had been typed, and tells what arrives."""

import asyncio
import json
import os

from poezio.plugin import BasePlugin
from slixmpp import JID

REQUESTS, EVENTS = 3, 4


class Plugin(BasePlugin):
    def init(self):
        self.unread = b""
        self.api.add_slix_event_handler("presence_available", self.present)
        self.api.add_slix_event_handler("message", self.received)
        asyncio.get_event_loop().add_reader(REQUESTS, self.read)

    def present(self, presence):
        # The server tells us of ourselves once messages reach us.
        if presence["from"] == self.core.xmpp.boundjid:
            self.api.del_slix_event_handler("presence_available", self.present)
            tell(event="ready", account=presence["from"].bare)

    def received(self, message):
        if message["body"]:
            tell(event="received", **{"from": message["from"].bare}, text=message["body"])

    def read(self):
        heard = os.read(REQUESTS, 1 << 16)
        *lines, self.unread = (self.unread + heard).split(b"\n")
        requests = [json.loads(line) for line in lines]
        for request in requests + ([] if heard else [{"op": "quit"}]):
            asyncio.ensure_future(self.obey(request))

    async def obey(self, request):
        if request["op"] == "quit":
            asyncio.get_event_loop().remove_reader(REQUESTS)
            return self.api.run_command("/quit")
        tab = self.core.open_conversation_window(JID(request["to"]), False)
        await tab.command_say(request["text"])
        tell(event="sent", id=request["id"])


def tell(**event):
    os.write(EVENTS, json.dumps(event).encode() + b"\n")
