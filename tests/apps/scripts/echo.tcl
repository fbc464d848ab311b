# SPDX-License-Identifier: LGPL-2.1-or-later
# An echo server and 20 clients in one event loop: each client sends 100 lines, one after the answer
# to the one before.  Prints "OK ..." if each answer was right.
set clients 20
set lines 100
set done 0
set wrong 0

proc serve {channel address port} {
    fconfigure $channel -blocking 0 -buffering line
    fileevent $channel readable [list echo $channel]
}
proc echo {channel} {
    if {[gets $channel line] >= 0} {
        puts $channel $line
    } elseif {[eof $channel]} {
        close $channel
    }
}
proc begin {channel id} {
    fileevent $channel writable {}
    fileevent $channel readable [list answer $channel $id 0]
    puts $channel "$id 0"
}
proc answer {channel id number} {
    global lines done wrong
    if {[gets $channel line] < 0} {
        if {[eof $channel]} { incr wrong; incr done; close $channel }
        return
    }
    if {$line ne "$id $number"} { incr wrong }
    if {[incr number] == $lines} {
        close $channel
        incr done
    } else {
        fileevent $channel readable [list answer $channel $id $number]
        puts $channel "$id $number"
    }
}
set listener [socket -server serve -myaddr 127.0.0.1 0]
set port [lindex [fconfigure $listener -sockname] 2]
for {set id 0} {$id < $clients} {incr id} {
    set channel [socket -async 127.0.0.1 $port]
    fconfigure $channel -blocking 0 -buffering line
    fileevent $channel writable [list begin $channel $id]
}
after 60000 {puts "FAILED: $done of $clients clients done"; exit 1}
while {$done < $clients} { vwait done }
if {$wrong} { puts "FAILED: $wrong wrong answers"; exit 1 }
puts "OK [expr {$clients * $lines}] lines of $clients clients"
exit 0
