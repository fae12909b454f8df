#!/usr/bin/env python3
"""Packs corpus/places.csv into corpus/places.mmdb (MaxMind format, needs mmdb_writer).

One record carries the country and the network, as vendors' combined databases do.
"""
import csv
import pathlib

import netaddr
from mmdb_writer import MMDBWriter

CORPUS = pathlib.Path(__file__).resolve().parent.parent / "corpus"


def main():
    writer = MMDBWriter(
        ip_version=6,
        ipv4_compatible=True,
        database_type="Overheard-World",
        languages=["en"],
        description={"en": "Planted places of the worlds in this repository"},
        int_type="u32",
    )
    with open(CORPUS / "places.csv", newline="") as table:
        for row in csv.DictReader(table):
            writer.insert_network(
                netaddr.IPSet([row["prefix"]]),
                {
                    "country": {"iso_code": row["country"]},
                    "autonomous_system_number": int(row["asn"]),
                    "autonomous_system_organization": row["network"],
                },
            )
    writer.to_db_file(str(CORPUS / "places.mmdb"))


if __name__ == "__main__":
    main()
