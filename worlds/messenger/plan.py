#!/usr/bin/env python3
"""Draws the study: which build runs when, and what each run is to contact.

    plan.py SEED RUNS > plan.json

Prints {"order": [[build, run], ...], "contacts": {"build/run": [{name, address, ...}, ...]}}.
Runs come in blocks that hold every build once, in random order. The same seed gives the same plan.
"""
import csv
import json
import pathlib
import random
import sys

BUILDS = ["regular", "co-branded", "co-branded-zh"]
KEPT = ["name", "how", "transport", "protocol", "visibility"]


def services():
    table = pathlib.Path(__file__).with_name("services.csv")
    with open(table, newline="") as rows:
        return list(csv.DictReader(rows))


def numbered(name, count):
    """A pool that is contacted more than once has a name for each: edge1.kite.example, edge2 …"""
    if count == 1:
        return [name]
    host, domain = name.split(".", 1)
    return [f"{host}{number}.{domain}" for number in range(1, count + 1)]


def contacts(draw, build):
    chosen = []
    for service in services():
        # Every service draws the same numbers in every build, so that a changed rate moves
        # nothing but its own service.
        contacted = draw.random() < float(service[build])
        addresses = draw.sample(service["addresses"].split(), int(service["picks"]))
        if contacted:
            row = {key: service[key] for key in KEPT}
            names = numbered(service["name"], len(addresses))
            chosen += [
                {**row, "name": name, "address": address, "port": int(service["port"])}
                for name, address in zip(names, addresses)
            ]
    return chosen


def main():
    seed, runs = int(sys.argv[1]), int(sys.argv[2])
    draw = random.Random(seed)
    order, planned = [], {}
    for run in range(1, runs + 1):
        block = BUILDS[:]
        draw.shuffle(block)
        for build in block:
            order.append([build, f"run{run}"])
            planned[f"{build}/run{run}"] = contacts(draw, build)
    json.dump({"seed": seed, "order": order, "contacts": planned}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
