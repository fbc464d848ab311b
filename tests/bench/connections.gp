# SPDX-License-Identifier: LGPL-2.1-or-later
# Draws the median cost of a round trip against the number of connections, with the range over the
# rounds. Called by report.py with data, image, caption and systems set.
set terminal pngcairo size 1000,640 font ",11"
set output image
set title caption noenhanced
set logscale xy 10
set xlabel "connections, each with one message of 64 bytes under way (log)"
set ylabel "microseconds for a round trip (log)"
set grid
set key outside right
set datafile missing "?"
colour(name) = name eq "ours" ? "#2a6fbb" : name eq "native" ? "#c9a227" : "#888888"
plot for [i = 1:words(systems)] data using 1:(column(3*i - 1)):(column(3*i)):(column(3*i + 1)) \
    title word(systems, i) with yerrorlines lw 2 pt 7 lc rgb (colour(word(systems, i)))
