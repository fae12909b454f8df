#!/usr/bin/env python3
"""Answers record.sh's questions about the plan and the places, one kind of answer per word.

    servers.py PLAN addresses | names | order | delays | pool HOST | listeners HOST
                    | zone BUILD/RUN | nginx WORK
"""
import csv
import json
import pathlib
import sys

import plan as drawn

ROUND_TRIP_MS = {
    "NL": 2, "US": 92, "LU": 7, "IE": 19, "EE": 33, "SG": 168, "CN": 214,
    "GB": 9, "BE": 5, "DE": 8, "JP": 231,
}  # fmt: skip


def pool(host):
    for service in drawn.services():
        if service["name"].split(".")[0] == host:
            return service["addresses"].split()
    raise KeyError(host)


def names():
    for service in drawn.services():
        yield from drawn.numbered(service["name"], int(service["picks"]))


def delays():
    places = pathlib.Path(__file__).parents[2] / "corpus" / "places.csv"
    with open(places, newline="") as table:
        for row in csv.DictReader(table):
            yield f"{row['prefix']}={ROUND_TRIP_MS[row['country']]}"


def zone(contacts):
    """dnsmasq's configuration: what the resolver answers in one run."""
    yield from ["no-resolv", "no-hosts", "local=/example/", "local-ttl=60", "port=53"]
    yield from ["bind-interfaces", "listen-address=198.18.1.53", "pid-file=/run/world/dns.pid"]
    for contact in contacts:
        yield f"host-record={contact['name']},{contact['address']}"


NGINX = """
worker_processes 1; daemon off; pid {work}/nginx.pid; error_log stderr;
events {{ worker_connections 256; }}
http {{
    access_log off; root {work}/www; default_type text/plain; server_tokens off;
    client_body_temp_path {work}/b; proxy_temp_path {work}/p; fastcgi_temp_path {work}/f;
    uwsgi_temp_path {work}/u; scgi_temp_path {work}/s;
    map $arg_build $brand {{ regular kite; default lantern; }}
    server {{
        listen 80 default_server; listen [::]:80 default_server;
        location = /latest {{ return 302 http://download.$brand.example/setup.exe; }}
        location = /log {{ return 200 "ok\\n"; }}
    }}
    {secure}
}}
"""
SECURE = """
    server {{
        listen 443 ssl http2; listen [::]:443 ssl http2; server_name {name};
        ssl_certificate {work}/{name}.pem; ssl_certificate_key {work}/{name}.key;
        ssl_protocols TLSv1.2 TLSv1.3;
        location / {{ return 200 "hello from {name}\\n"; }}
    }}"""


def nginx(work):
    secure = "".join(SECURE.format(name=name, work=work) for name in names())
    return [NGINX.format(work=work, secure=secure)]


def answer(plan, word, *rest):
    if word == "addresses":
        return [a for service in drawn.services() for a in service["addresses"].split()]
    if word == "order":
        return [f"{build}/{run}" for build, run in plan["order"]]
    if word == "listeners":
        return [f"--listening-ip={address}" for address in pool(*rest)]
    if word == "zone":
        return zone(plan["contacts"][rest[0]])
    return {"names": names, "delays": delays, "pool": pool, "nginx": nginx}[word](*rest)


def main():
    with open(sys.argv[1]) as text:
        plan = json.load(text)
    for line in answer(plan, *sys.argv[2:]):
        print(line)


if __name__ == "__main__":
    main()
