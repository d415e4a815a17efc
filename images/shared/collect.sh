#!/bin/sh
# Installs Debian packages in a throw-away build stage and puts the files that
# this changed under a folder, for the final stage to take with one COPY. So the
# final image gets one clean layer: no package lists, no caches, and nothing of
# the proxy, the certificate authority or the mirror that the build went through.
#
#   collect.sh FOLDER PACKAGE…
#
# The recipes share it: their build context is the folder above (`context: ..`), of
# which each one's Dockerfile.dockerignore lets in this file and the recipe's own.
set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
here=$(dirname "$0")
into=$1
shift

marker=$(mktemp)
sleep 0.05
set -- --no-install-recommends -y -qq "$@"

# The host's CA bundle and apt settings: secrets of BuildKit, or else files which
# the program puts into the context of a classic build (see ../README.md).
options='-o Acquire::Retries=3 -o Acquire::Languages=none -o Dpkg::Use-Pty=0'
for ca in /run/secrets/platform_ca "$here/platform_ca"; do
  if [ -s "$ca" ]; then options="$options -o Acquire::https::CaInfo=$ca -o APT::Sandbox::User=root"; break; fi
done
for conf in /run/secrets/platform_apt_conf "$here/platform_apt_conf"; do
  if [ -s "$conf" ]; then export APT_CONFIG="$conf"; break; fi
done

# shellcheck disable=SC2086
apt-get $options -qq update
# shellcheck disable=SC2086
apt-get $options install "$@"
apt-get clean

mkdir -p "$into"
find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp \
    -o -path "$here" -o -path "$into" -o -path /var/cache -o -path /var/log -o -path /var/lib/apt \
    -o -path /etc/resolv.conf -o -path /etc/hosts -o -path /etc/hostname -o -path /etc/mtab \) -prune \
  -o -cnewer "$marker" ! -name '*-old' ! -path '/etc/*-' ! -path / -print0 |
  tar --create --null --no-recursion --files-from=- --absolute-names --transform='s,^/,,' --file=- |
  tar --extract --same-permissions --same-owner --directory="$into" --file=-
rm -f "$marker"
