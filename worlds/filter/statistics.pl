# What apps do beside their work: every few seconds this one tells its maker something, of no fixed size.
use strict;
use warnings;
use Irssi;

our $VERSION = '1.0';
my $ca = "$ENV{OVERHEARD_WORLD}/ca.pem";

sub report {
    my $numbers = join '&', map { "n$_=" . int rand 1e9 } 1 .. 5 + rand 60;
    system 'sh', '-c', 'curl --silent --max-time 5 --cacert "$1" --data "$2" "$3" >/dev/null 2>&1 &', 'sh', $ca, $numbers,
        'https://statistics.kite.example/statistics';
    later();
}

sub later { Irssi::timeout_add_once(2000 + int rand 10000, \&report, undef) }

later();
