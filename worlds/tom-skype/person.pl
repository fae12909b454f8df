# What the person at the keyboard does, the same in every build: joins a channel, says three things, leaves.
use strict;
use warnings;
use Irssi;

our $VERSION = '1.0';
my @says = (
    'shall we meet in the park at eight?',
    'the strike begins at noon',
    'they took the petition down',
);
my $log = $ENV{KITE_LOG};

sub note {
    open my $out, '>>', $log or return;
    print $out @_;
    close $out;
}

# As if it had been typed: plug-ins see it.
sub say_next {
    my ($channel) = @_;
    if (my $line = shift @says) {
        Irssi::signal_emit('send text', $line, $channel->{server}, $channel);
        Irssi::timeout_add_once(300, \&say_next, $channel);
    } else {
        note("said all\n");
        Irssi::timeout_add_once(1500, sub { Irssi::command('quit') }, undef);
    }
}

Irssi::signal_add('event connected', sub { note('logged in, '); $_[0]->command('join #park') });
Irssi::signal_add('channel joined', sub { say_next($_[0]) });
# A chat that cannot be reached must not hold the app forever.
Irssi::timeout_add_once(8000, sub { Irssi::command('quit') }, undef);
Irssi::signal_add('script error', sub { note("script error: $_[1]") });
