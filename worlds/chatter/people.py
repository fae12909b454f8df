#!/usr/bin/env python3
"""Other people on the servers of chatter.toml: they come and go, talk in a room and now and then to alice.

    people.py XMPP_ADDRESS IRC_ADDRESS CA_FILE

How long they pause and what they say is drawn by a fixed seed: conversations of some lines, seconds apart, with minutes
between them.
"""
import asyncio
import random
import ssl
import sys

import slixmpp

NAMES = ["bea", "carl", "dora", "emil", "faye"]
WORDS = "tea bread cloud stone wheel river garden lamp train window paper coat bridge salt morning late soon yes".split()
dice = random.Random(61)


def line():
    return " ".join(dice.choice(WORDS) for _ in range(1 + int(dice.lognormvariate(1.6, 0.7))))


def pause(mean_s):
    return asyncio.sleep(dice.expovariate(1 / mean_s))


class Xmpp(slixmpp.ClientXMPP):
    """One account, in the room and on alice's list."""

    def __init__(self, name, ca_file):
        super().__init__(f"{name}@chatter.example", "tea")
        self.name = name
        self.ca_certs = ca_file
        for plugin in ["xep_0030", "xep_0045", "xep_0085", "xep_0184", "xep_0199", "xep_0333"]:
            self.register_plugin(plugin)
        self.add_event_handler("session_start", self.started)

    async def started(self, _):
        self.send_presence()
        await self.get_roster()
        self["xep_0045"].join_muc("lobby@rooms.chatter.example", self.name)

    def say(self, text):
        self.send_message(mto="lobby@rooms.chatter.example", mbody=text, mtype="groupchat")

    def tell(self, text):
        message = self.make_message(mto="alice@chatter.example", mbody=text, mtype="chat")
        message["request_receipt"] = True
        message["chat_state"] = "active"
        message["markable"] = True
        message.send()

    def come_or_go(self):
        shown = dice.choice([None, None, "away", "xa", "dnd"])
        self.send_presence(pshow=shown, pstatus=line() if dice.random() < 0.5 else None)


class Irc:
    """One nick, in the channel."""

    def __init__(self, name, address):
        self.name, self.address = name, address

    async def start(self):
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        reader, self.writer = await connected(self.address, trusting)
        self.send(f"NICK {self.name}\r\nUSER {self.name} 0 * :{self.name}\r\nJOIN #lobby")
        asyncio.ensure_future(self.answer(reader))

    async def answer(self, reader):
        while heard := await reader.readline():
            if heard.startswith(b"PING"):
                self.send("PONG" + heard.decode(errors="replace")[4:].rstrip())

    def send(self, text):
        self.writer.write((text + "\r\n").encode())

    def say(self, text):
        self.send(f"PRIVMSG #lobby :{text}")

    def tell(self, text):
        self.send(f"PRIVMSG alice :{text}")

    def come_or_go(self):
        self.send(dice.choice(["AWAY :tea", "AWAY", "PART #lobby\r\nJOIN #lobby"]))


async def connected(address, trusting):
    """Servers start together: this one may have to wait for the other."""
    for _ in range(60):
        try:
            return await asyncio.open_connection(address, 6697, ssl=trusting)
        except OSError:
            await asyncio.sleep(0.5)
    raise OSError(f"{address}: no server of IRC")


async def talk(people):
    """Conversations in the room."""
    while True:
        await pause(200)
        for _ in range(1 + int(dice.expovariate(1 / 8))):
            dice.choice(people).say(line())
            await asyncio.sleep(dice.uniform(2, 25))


async def tell(people):
    """Some lines to alice alone."""
    while True:
        await pause(400)
        friend = dice.choice(people)
        for _ in range(1 + int(dice.expovariate(1 / 2))):
            friend.tell(line())
            await asyncio.sleep(dice.uniform(3, 40))


async def move(person):
    while True:
        await pause(500)
        person.come_or_go()


async def main():
    xmpp_address, irc_address, ca_file = sys.argv[1:]
    for people in [[Xmpp(name, ca_file) for name in NAMES], [Irc(name, irc_address) for name in NAMES]]:
        for person in people:
            if isinstance(person, Xmpp):
                person.connect((xmpp_address, 5222))
            else:
                await person.start()
        for life in [talk(people), tell(people), *map(move, people)]:
            asyncio.ensure_future(life)
    await asyncio.Event().wait()


asyncio.get_event_loop().run_until_complete(main())
