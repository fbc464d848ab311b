# SPDX-License-Identifier: LGPL-2.1-or-later
# MSYS2's perl: an echo server and 10 clients in one process, by select.  Prints "OK ..." if each
# answer was right.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;

my ($clients, $lines) = (10, 50);
my $listener = IO::Socket::INET->new(Listen => $clients, LocalAddr => '127.0.0.1') or die "listen: $!";
my (%client, %got, $done, $wrong);
($done, $wrong) = (0, 0);
my $select = IO::Select->new($listener);
for my $id (1 .. $clients) {
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $listener->sockport)
        or die "connect: $!";
    $client{$socket} = $id;
    $got{$socket} = 0;
    $select->add($socket);
    syswrite $socket, "$id 0\n" or die "write: $!";
}
alarm 80;
while ($done < $clients) {
    for my $socket ($select->can_read(20)) {
        if ($socket == $listener) {
            $select->add(scalar $listener->accept);
            next;
        }
        my $count = sysread $socket, my $line, 100;
        if (!$count) {
            $select->remove($socket);
            close $socket;
        } elsif (!exists $client{$socket}) {
            syswrite $socket, $line;
        } else {
            $wrong++ if $line ne "$client{$socket} $got{$socket}\n";
            if (++$got{$socket} == $lines) {
                $select->remove($socket);
                close $socket;
                $done++;
            } else {
                syswrite $socket, "$client{$socket} $got{$socket}\n";
            }
        }
    }
}
die "$wrong wrong answers\n" if $wrong;
print "OK ", $clients * $lines, " lines of $clients clients\n";
