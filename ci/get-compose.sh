#!/usr/bin/env bash
# Gets docker compose v2 as a peer to compare with: the CLI plugin out of
# Debian's own package, unpacked without installing it.
#
#   ci/get-compose.sh [FOLDER]     FOLDER: default ~/.docker/cli-plugins
#   COMPOSE_SUITE=sid|trixie|…     which Debian release to take it from
#   FORCE=1                        also where there is one already
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
suite=${COMPOSE_SUITE:-sid}
target=${1:-${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins}
plugin=$target/docker-compose

say() { printf 'get-compose: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

if [ "${FORCE:-0}" != 1 ] && version=$("$plugin" version --short 2>/dev/null); then
  say "docker compose $version is already at $plugin"
  exit 0
fi

tree=$(mktemp -d "${TMPDIR:-/tmp}/get-compose.XXXXXX")
trap 'rm -rf "$tree"' EXIT
"$here/debian-packages.sh" "$suite" "$tree" docker-compose >&2

binary=$(find "$tree" -type f -perm -u+x -name docker-compose | head -n 1)
[ -n "$binary" ] || die "the package holds no docker-compose binary"
version=$("$binary" version --short) || die "the binary of $suite does not run on this host: try COMPOSE_SUITE=trixie"
case ${version#v} in [2-9].* | [1-9][0-9].*) ;; *) die "found version $version, wanted 2 or later" ;; esac

mkdir -p "$target"
install -m 0755 "$binary" "$plugin.new"
mv -f "$plugin.new" "$plugin"
say "docker compose $version (Debian $suite) is at $plugin"
