#!/bin/sh
# The compiler, for crates whose names in symbols are the same on every machine: cargo makes the `-C metadata` of a crate of the
# library from the folder that its sources lie in.
left=$#
while [ "$left" -gt 0 ]; do
    argument=$1
    shift
    case $argument in
        metadata=*) argument=metadata=opml ;;
    esac
    set -- "$@" "$argument"
    left=$((left - 1))
done
exec "$@"
