#!/usr/bin/env python3
"""Writes the study's planted truth from its plan: corpus/messenger/truth.toml and contacts.csv.

Nothing here reads a capture. What is true is what services.csv, places.csv and the seed say;
worlds/check.py holds the captures to it.
"""
import csv
import ipaddress
import json
import pathlib
from collections import Counter

import plan as drawn

CORPUS = pathlib.Path(__file__).resolve().parents[2] / "corpus"
STUDY = CORPUS / "messenger"
RESOLVER = {"name": "", "address": "198.18.1.53", "port": 53, "transport": "udp",
            "protocol": "dns", "visibility": "readable"}  # fmt: skip


def places():
    with open(CORPUS / "places.csv", newline="") as table:
        return [(ipaddress.ip_network(row["prefix"]), row) for row in csv.DictReader(table)]


def write_contacts(plan):
    """One line for each server that a run contacts: the exact remote ends of its capture."""
    with open(STUDY / "contacts.csv", "w", newline="") as out:
        table = csv.writer(out, lineterminator="\n")
        table.writerow(["build", "run", "address", "port", "transport", "name", "protocol", "visibility"])
        for key, contacts in plan["contacts"].items():
            build, run = key.split("/")
            for c in [RESOLVER, *contacts]:
                row = [c[k] for k in ("address", "port", "transport", "name", "protocol", "visibility")]
                table.writerow([build, run, *row])


def endpoints(plan):
    """(address, row) with the names it goes by, its place, its planted rate and its k by build."""
    known = places()
    for service in drawn.services():
        pool = service["addresses"].split()
        picks = int(service["picks"])
        for address in pool:
            place = next(row for prefix, row in known if ipaddress.ip_address(address) in prefix)
            seen = Counter(
                key.split("/")[0]
                for key, contacts in plan["contacts"].items()
                if any(c["address"] == address for c in contacts)
            )
            rates = {build: float(service[build]) * picks / len(pool) for build in drawn.BUILDS}
            yield address, service, drawn.numbered(service["name"], picks), place, rates, seen


def inline(mapping):
    return "{ " + ", ".join(f'"{key}" = {value}' for key, value in mapping.items()) + " }"


def main():
    with open(STUDY / "plan.json") as text:
        plan = json.load(text)
    write_contacts(plan)
    runs = Counter(build for build, _ in plan["order"])
    order = ", ".join(f'"{build}/{run}"' for build, run in plan["order"])
    lines = [
        "# Planted truth, written by worlds/messenger/truth.py; contacts.csv has it run by run.",
        'case = "messenger"',
        'client = ["198.18.0.10", "2001:2::10"]',
        'reference = "regular"',
        'concern = "CN"',
        f"seed = {plan['seed']}",
        f"runs = {inline({build: runs[build] for build in drawn.BUILDS})}",
        f"order = [{order}]",
        "",
        "# rate: planted chance that a run contacts the address. present: runs that did.",
    ]
    for address, service, names, place, rates, seen in endpoints(plan):
        lines += [
            "[[endpoint]]",
            f'address = "{address}"',
            f"port = {service['port']}",
            f'transport = "{service["transport"]}"',
            f"names = {json.dumps(names)}",
            f'protocol = "{service["protocol"]}"',
            f'visibility = "{service["visibility"]}"',
            f'country = "{place["country"]}"',
            f"asn = {place['asn']}",
            f'network = "{place["network"]}"',
            f"rate = {inline({build: round(rate, 4) for build, rate in rates.items()})}",
            f"present = {inline({build: seen[build] for build in drawn.BUILDS})}",
            "",
        ]
    (STUDY / "truth.toml").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
