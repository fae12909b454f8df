#!/usr/bin/env python3
"""Writes corpus/tom-skype-2012/table.csv from the published marginals, and checks them.

Published: servers per country contacted by one, two, three of the builds; China by the two
co-branded builds only. Lost: which builds the others belong to (chosen below), the addresses
(placeholders from 198.19.0.0/16, one /24 a country), ports and names (left empty).
"""
import csv
import pathlib
from collections import Counter

OUT = pathlib.Path(__file__).resolve().parents[2] / "corpus" / "tom-skype-2012" / "table.csv"
REGULAR, EN, ZH = "regular", "tom-en", "tom-zh"
ALL = (REGULAR, EN, ZH)

# Servers of each country by the builds that contacted them. The choice: where the text leaves it
# open, single servers fall to the builds about evenly, the regular one first.
CHOSEN = {
    "US": {(REGULAR,): 7, (EN,): 6, (ZH,): 6, (REGULAR, EN): 2, (REGULAR, ZH): 1, (EN, ZH): 1},
    "CN": {(EN,): 6, (ZH,): 7, (EN, ZH): 7},
    "LU": {(REGULAR,): 2, (EN,): 2, (ZH,): 2},
    "IE": {(REGULAR,): 1, (EN,): 1, (ZH,): 1, (REGULAR, EN): 1, ALL: 1},
    "EE": {(REGULAR,): 1, (REGULAR, ZH): 1, (EN, ZH): 1, ALL: 1},
    "BE": {(REGULAR,): 1},
    "GB": {(EN,): 1},
    "IT": {(ZH,): 1},
    "SG": {(REGULAR,): 1},
}
# As published: contacted by one / two / three builds.
PUBLISHED = {
    "US": (19, 4, 0), "CN": (13, 7, 0), "LU": (6, 0, 0), "IE": (3, 1, 1), "EE": (1, 2, 1),
    "BE": (1, 0, 0), "GB": (1, 0, 0), "IT": (1, 0, 0), "SG": (1, 0, 0),
}  # fmt: skip


def servers():
    """(address, country, builds), one for each server."""
    for number, (country, groups) in enumerate(CHOSEN.items(), 1):
        host = 0
        for builds, count in groups.items():
            for _ in range(count):
                host += 1
                yield f"198.19.{number}.{host}", country, builds


def check(listed):
    """The table has the published marginals, or this fails."""
    spread = Counter((country, len(builds)) for _, country, builds in listed)
    for country, counts in PUBLISHED.items():
        assert tuple(spread[country, n] for n in (1, 2, 3)) == counts, country
    in_all = Counter(len(builds) for _, _, builds in listed)
    assert (in_all[1], in_all[2], in_all[3]) == (46, 14, 2)
    assert len(listed) == 62
    assert not any(REGULAR in builds for _, country, builds in listed if country == "CN")


def main():
    listed = list(servers())
    check(listed)
    with open(OUT, "w", newline="") as out:
        table = csv.writer(out, lineterminator="\n")
        table.writerow(["build", "run", "address", "port", "name", "country"])
        for build in ALL:
            for address, country, builds in listed:
                if build in builds:
                    table.writerow([build, "run1", address, "", "", country])


if __name__ == "__main__":
    main()
