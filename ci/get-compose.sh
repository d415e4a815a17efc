#!/usr/bin/env bash
# Gets docker compose v2 as a peer to compare with: the CLI plugin out of
# Debian's own package, unpacked without installing it.
#
#   ci/get-compose.sh [FOLDER]     FOLDER: default ~/.docker/cli-plugins
#   COMPOSE_SUITE=sid|trixie|…     which Debian release to take it from
#
# The package comes from the archive that the host's apt is configured for, with
# only the release name replaced, in a private apt state, and is verified by
# Debian's keyring. Nothing is installed and no apt setting is changed.
set -euo pipefail

suite=${COMPOSE_SUITE:-sid}
target=${1:-${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins}
plugin=$target/docker-compose
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

say() { printf 'get-compose: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

if [ "${FORCE:-0}" != 1 ] && version=$("$plugin" version --short 2>/dev/null); then
  say "docker compose $version is already at $plugin"
  exit 0
fi

. /etc/os-release
[ "${ID:-}" = debian ] || die "this needs a Debian host (this is ${PRETTY_NAME:-unknown}): install docker compose v2 by your own means"
for tool in apt-get dpkg-deb; do command -v "$tool" >/dev/null || die "$tool is missing"; done
[ -r "$keyring" ] || die "$keyring is missing: apt-get install debian-archive-keyring"

archive=$(apt-get indextargets --format '$(REPO_URI)|$(RELEASE)|$(COMPONENT)' 'Created-By: Packages' \
  | awk -F'|' -v host="$VERSION_CODENAME" '$2 == host && $3 == "main" { print $1; exit }')
[ -n "$archive" ] || die "apt has no source for $VERSION_CODENAME main to take the archive from"

work=$(mktemp -d "${TMPDIR:-/tmp}/get-compose.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{etc,lists/partial,cache/archives/partial,tree}
chmod -R a+rX "$work"
printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$archive" "$suite" >"$work/etc/peer.list"
apt=(
  -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/etc"
  -o Dir::Etc::preferencesparts=/dev/null -o Dir::State::lists="$work/lists"
  -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none
  -o Acquire::Retries=3
)
say "reading the package lists of $suite"
apt-get "${apt[@]}" -qq update
(cd "$work" && apt-get "${apt[@]}" -qq download docker-compose)
dpkg-deb -x "$work"/docker-compose_*.deb "$work/tree"

binary=$(find "$work/tree" -type f -perm -u+x -name 'docker-compose' | head -n 1)
[ -n "$binary" ] || die "the package holds no docker-compose binary: $(cd "$work/tree" && find . -type f | head -n 20 | tr '\n' ' ')"
version=$("$binary" version --short) || die "the binary of $suite does not run on this host: try COMPOSE_SUITE=trixie"
case $version in 2.* | v2.* | [3-9].* | v[3-9].*) ;; *) die "found version $version, wanted 2 or later" ;; esac

mkdir -p "$target"
install -m 0755 "$binary" "$plugin.new"
mv -f "$plugin.new" "$plugin"
say "docker compose $version (Debian $suite) is at $plugin"
