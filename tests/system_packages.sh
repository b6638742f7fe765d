#!/bin/sh
# The database parts that some tests use: installed when we are root and have apt, otherwise left alone
# (those tests are then skipped by name, or fail when CI=true). And valgrind, by itself and without the debugger
# that it recommends: 21 MB. Without it the test that counts instructions is skipped by name.
set -u
command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ] || exit 0

wanted() { # those packages that are not here; then options of apt-get
  packages=$1
  shift
  missing=""
  for package in $packages; do
    dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
  done
  [ -z "$missing" ] && return
  echo "installing$missing"
  (apt-get install -y -qq "$@" $missing || { apt-get update -qq && apt-get install -y -qq "$@" $missing; }) \
    >/dev/null 2>&1 || echo "could not install$missing"
}

wanted "unixodbc libsqliteodbc odbc-postgresql postgresql redis-server"
wanted "valgrind" --no-install-recommends
exit 0
