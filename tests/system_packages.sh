#!/bin/sh
# The database parts that some tests use: installed when we are root and have apt, otherwise left alone
# (those tests are then skipped by name, or fail when CI=true).
set -u
wanted="unixodbc libsqliteodbc odbc-postgresql postgresql"
command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ] || exit 0
missing=""
for package in $wanted; do
  dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
echo "installing$missing"
(apt-get install -y -qq $missing || { apt-get update -qq && apt-get install -y -qq $missing; }) >/dev/null 2>&1 ||
  echo "could not install$missing"
exit 0
