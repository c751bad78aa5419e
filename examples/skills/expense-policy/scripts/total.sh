#!/bin/sh
# Adds up the last column of a table of receipts: total.sh receipts.csv
awk -F, 'NR > 1 { sum += $NF } END { printf "%.2f\n", sum }' "$1"
