# The person at the keyboard is a driver of JSON lines: what it is asked to send is sent as if it had been typed, so
# that plug-ins see it, and what arrives is told.
use strict;
use warnings;
use Encode qw(decode_utf8 encode_utf8);
use Irssi;
use JSON::PP;

our $VERSION = '1.0';
open my $requests, '<&=', 3 or die "no requests: $!";
open my $events, '>&=', 4 or die "no events: $!";
my $json = JSON::PP->new->utf8->canonical;
my ($server, $unread) = (undef, '');

sub tell_event { syswrite $events, $json->encode({@_}) . "\n" }

sub send_text {
    my ($id, $to, $text) = @_;
    return tell_event(event => 'error', id => $id, message => 'no text of one line') if $text !~ /\A[^\r\n\0]+\z/;
    $server->command("query $to") if !$server->query_find($to);
    my $query = $server->query_find($to) or return tell_event(event => 'error', id => $id, message => 'nobody');
    Irssi::signal_emit('send text', encode_utf8($text), $server, $query);
    tell_event(event => 'sent', id => $id);
}

sub obey {
    my ($line) = @_;
    my $request = eval { $json->decode($line) } // {};
    my $op = $request->{op} // '';
    return send_text(@$request{qw(id to text)}) if $op eq 'send' && $server;
    quit() if $op eq 'quit';
}

sub quit {
    Irssi::signal_remove('server disconnected', 'disconnected');
    Irssi::command('quit');
}

sub disconnected { tell_event(event => 'error', message => 'disconnected') }

Irssi::input_add(fileno $requests, Irssi::INPUT_READ, sub {
    sysread($requests, $unread, 1 << 16, length $unread) or return quit();
    obey($1) while $unread =~ s/\A(.*)\n//;
}, undef);

Irssi::signal_add('event connected', sub {
    $server = $_[0];
    tell_event(event => 'ready', account => $server->{nick});
});
Irssi::signal_add('message private', sub {
    my (undef, $text, $from) = @_;
    tell_event(event => 'received', from => $from, text => decode_utf8($text));
});
Irssi::signal_add('server disconnected', 'disconnected');
Irssi::signal_add('script error', sub { tell_event(event => 'error', message => 'a script failed') });
