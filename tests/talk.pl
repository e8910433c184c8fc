#!/usr/bin/perl
# Plays connections for tests/network.t, step by step: each argument is `verb[@name] rest` or
# `verb[@name]:rest`, each step has to succeed within 5 s.
#
#   open@a PORT    connects; refused PORT: fails to           send@a TEXT   sends it, with \n and \r for those
#   get@a REGEX    reads until it matches, past the match     fill@a N      sends N bytes; drain@a N: they have come back
#   shut@a         no more to send; eof@a: nothing comes but  reset@a       closes without a good-bye; close@a: with one
#   stuff@a N      sends N bytes as long as it goes within    kill SIG PID
#                  half a second: must not get them all out
#   nag@a N REGEX TEXT  sends it until REGEX comes, at most N times; -: N times
#   slow@a PORT connects with a small buffer                  end@a: whatever comes, then the end
#   wait S      for so many seconds
#   www DIR        serves HTTP, raw answers from files in DIR by path, until it is killed; prints its port first
use strict;
use warnings;
use IO::Socket::INET;
use IO::Select;
use Socket;
$| = 1;
$SIG{PIPE} = 'IGNORE';
my (%fd, %in, $step);

sub fail { print "# step '$step': @_\n"; exit 1 }
sub dial { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $_[0], Timeout => 5) }
sub more { # reads some: the number of bytes
    my ($a) = @_;
    IO::Select->new($fd{$a})->can_read(5) or fail("nothing came; there was '" . substr($in{$a}, 0, 300) . "'");
    return sysread($fd{$a}, $in{$a}, 65536, length $in{$a}) // 0;
}
# made before the first step: it takes its time, and no server shall take that for silence
my $pattern = join('', map { sprintf "%07d\n", $_ } 0 .. (sort { $a <=> $b } 0, map { /^fill\S* (\d+)/ } @ARGV)[-1] / 8);
sub pattern { return substr($pattern, 0, $_[0]) }
sub put {
    my ($a, $data, $wait, $read) = @_; # $read: takes in what comes meanwhile
    my $sent = 0;
    $fd{$a}->blocking(0);
    while ($sent < length $data) {
        my $some = $read ? IO::Select->new($fd{$a}) : undef;
        my ($in, $out) = IO::Select->select($some, IO::Select->new($fd{$a}), undef, $wait) or last;
        if (@$in) { more($a) or last }
        next unless @$out;
        my $n = syswrite($fd{$a}, $data, 65536, $sent) // last;
        $sent += $n;
    }
    $fd{$a}->blocking(1);
    return $sent;
}
sub www {
    my ($dir) = @_;
    my $s = IO::Socket::INET->new(Listen => 20, LocalAddr => '127.0.0.1') or fail("$!");
    $SIG{CHLD} = 'IGNORE';
    print "listening on http://127.0.0.1:" . $s->sockport . "\n";
    while (1) {
        my $c = $s->accept or next;
        next if fork;
        close $s;
        my $head = '';
        while ($head !~ /\r\n\r\n/) { sysread($c, $head, 4096, length $head) or exit }
        $head =~ m{^GET /(\w*)} or exit;
        sleep 5 if $1 eq 'silent';
        open(my $file, '<:raw', "$dir/$1") or exit;
        local $/;
        syswrite($c, <$file>);
        exit;
    }
}

for (@ARGV) {
    $step = $_;
    my ($verb, $a, $rest) = /^(\w+)(?:@(\w+))?(?:[ :](.*))?$/s or fail('what?');
    $a //= '';
    if ($verb eq 'open') { $fd{$a} = dial($rest) or fail("$!"); $in{$a} = ''; }
    elsif ($verb eq 'slow') {
        socket($fd{$a}, PF_INET, SOCK_STREAM, 0) or fail("$!");
        setsockopt($fd{$a}, SOL_SOCKET, SO_RCVBUF, 4096);
        connect($fd{$a}, pack_sockaddr_in($rest, inet_aton('127.0.0.1'))) or fail("$!");
        bless $fd{$a}, 'IO::Socket::INET';
        $in{$a} = '';
    }
    elsif ($verb eq 'refused') { # soon
        my $until = time + 5;
        while (dial($rest)) { fail('it was not') if time > $until; select(undef, undef, undef, 0.01) }
    }
    elsif ($verb eq 'send') { $rest =~ s/\\n/\n/g; $rest =~ s/\\r/\r/g; put($a, $rest, 5) == length $rest or fail("$!") }
    elsif ($verb eq 'nag') {
        my ($times, $what, $text) = split ' ', $rest, 3;
        $text =~ s/\\n/\n/g;
        for my $time (1 .. $times) {
            put($a, $text, 5) == length $text or fail('not all went out');
            while (IO::Select->new($fd{$a})->can_read(0)) { more($a) or fail('end') }
            last if $what ne '-' && $in{$a} =~ s/^.*?$what//s;
            fail('all in vain') if $what ne '-' && $time == $times;
            substr($in{$a}, 0, -1000, '') if length $in{$a} > 1000;
        }
    }
    elsif ($verb eq 'get') { until ($in{$a} =~ s/^.*?(?:$rest)//s) { more($a) or fail("end, after '$in{$a}'") } }
    elsif ($verb eq 'fill') { put($a, pattern($rest), 5, 1) == $rest or fail("not all went out: $!") }
    elsif ($verb eq 'stuff') { put($a, 'x' x $rest, 0.5) < $rest or fail('all went out') }
    elsif ($verb eq 'drain') {
        while (length $in{$a} < $rest) { more($a) or fail('end, after ' . length($in{$a})) }
        substr($in{$a}, 0, $rest, '') eq pattern($rest) or fail('other bytes');
    }
    elsif ($verb eq 'shut') { shutdown($fd{$a}, 1) }
    elsif ($verb eq 'eof') { while (more($a)) { } fail("'$in{$a}' came before") if $in{$a} ne '' }
    elsif ($verb eq 'end') { while (more($a)) { } }
    elsif ($verb eq 'close') { close $fd{$a} }
    elsif ($verb eq 'reset') { setsockopt($fd{$a}, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0)); close $fd{$a} }
    elsif ($verb eq 'wait') { select(undef, undef, undef, $rest) }
    elsif ($verb eq 'kill') { kill(split ' ', $rest) or fail("$!") }
    elsif ($verb eq 'www') { www($rest) }
    else { fail('what?') }
}
