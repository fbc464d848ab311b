# SPDX-License-Identifier: LGPL-2.1-or-later
# Draws median speed in multiples of the built-in, with the range over the rounds. Called by
# report.py with data, image, caption and systems set.
set terminal pngcairo size 1400,760 font ",11"
set output image
set title caption noenhanced
set style data histogram
set style histogram errorbars gap 1 lw 1
set style fill solid 0.85 border -1
set logscale y 10
set yrange [0.5:*]
set ylabel "times the speed of Wine's built-in (log)"
set xtics rotate by -35 left
set grid ytics
set key top left
set rmargin 22
set datafile missing "?"
set arrow 1 from graph 0, first 1 to graph 1, first 1 nohead lw 2 lc rgb "#444444"
plot for [i = 1:words(systems)] data using (column(3*i - 1)):(column(3*i)):(column(3*i + 1)):xtic(1) \
    title word(systems, i) lc rgb (word(systems, i) eq "ours" ? "#2a6fbb" : "#c9a227")
