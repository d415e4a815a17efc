#!/bin/sh
# Makes the root file system of a minimal Debian, as one tar, from packages.
#
#   PLATFORM_OUTPUT    the tar to write (required)
#   PLATFORM_SUITE     the release, default trixie
#   SOURCE_DATE_EPOCH  the newest time a file may carry, default the release day
#
# The packages come from where this host's own apt gets its packages, with only
# the release name replaced; on a host that is not Debian, from mmdebstrap's
# default archive. Either way they are verified by Debian's archive keyring.
# Proxies (the usual variables, or apt's own setting) are used and not left behind.
set -eu

output=${PLATFORM_OUTPUT:?PLATFORM_OUTPUT must name the tar to write}
suite=${PLATFORM_SUITE:-trixie}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-1754697600}" LC_ALL=C
umask 022

say() { printf '%s\n' "$*" >&2; }
[ -r "$keyring" ] || { say "$keyring is missing: install the package debian-archive-keyring"; exit 1; }

work=$(mktemp -d "${TMPDIR:-/tmp}/platform-debian.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
chmod 755 "$work"

ID=unknown VERSION_CODENAME=
# shellcheck source=/dev/null
[ ! -r /etc/os-release ] || . /etc/os-release
sources=$work/debian.sources
if [ "$ID" = debian ] && command -v apt-get >/dev/null 2>&1; then
  # apt reads its own settings here, whichever format and file they stand in.
  apt-get indextargets --format '$(REPO_URI)|$(RELEASE)|$(COMPONENT)' 'Created-By: Packages' |
    awk -F'|' -v host="$VERSION_CODENAME" -v suite="$suite" -v keyring="$keyring" '
      $3 != "main" || seen[$1 $2]++ { next }
      $2 == host || $2 == host "-updates" || $2 == host "-security" {
        sub("^" host, suite, $2)
        printf "Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n\n", $1, $2, keyring
      }' >"$sources"
fi

# apt's proxy setting, where the environment names none.
if command -v apt-config >/dev/null 2>&1; then
  HTTP= HTTPS=
  eval "$(apt-config shell HTTP Acquire::http::Proxy HTTPS Acquire::https::Proxy)"
  [ -z "$HTTP" ] || [ -n "${http_proxy:-}" ] || export http_proxy="$HTTP"
  [ -z "$HTTPS" ] || [ -n "${https_proxy:-}" ] || export https_proxy="$HTTPS"
fi

if grep -qs "^Suites: $suite\$" "$sources"; then
  say "taking Debian $suite from the archive that this host's apt uses"
  set -- "$suite" "$work/rootfs.tar" "$sources"
else
  say "taking Debian $suite from mmdebstrap's default archive (this host's apt has none for Debian)"
  set -- "$suite" "$work/rootfs.tar"
fi

# The hooks run with the new root as $1 and see nothing of this shell but the environment.
export PLATFORM_SUITE="$suite"
mmdebstrap --variant=minbase --format=tar --include=ca-certificates --quiet \
  --keyring="$keyring" \
  --aptopt='APT::Install-Recommends "false"' \
  --aptopt='Acquire::Languages "none"' \
  --aptopt='Acquire::Retries "3"' \
  --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-include=/usr/share/doc/*/copyright' \
  --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/info/*' \
  --dpkgopt='path-exclude=/usr/share/groff/*' \
  --dpkgopt='path-exclude=/usr/share/lintian/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --dpkgopt='path-include=/usr/share/locale/locale.alias' \
  --customize-hook='
    set -eu
    cd "$1"
    # One sources file, without the credentials that a mirror address may carry.
    for file in etc/apt/sources.list.d/*.sources; do
      [ ! -e "$file" ] || sed "s#://[^/@ ]*@#://#" "$file" >>etc/apt/debian.new
      rm -f "$file"
    done
    [ ! -s etc/apt/debian.new ] || mv etc/apt/debian.new etc/apt/sources.list.d/debian.sources
    if [ -s etc/apt/sources.list ]; then sed -i "s#://[^/@ ]*@#://#" etc/apt/sources.list; fi
    # What belongs to this host or to this run.
    : >etc/resolv.conf
    rm -f etc/hostname
    rm -rf var/log/*.log var/log/apt var/cache/ldconfig/* var/cache/debconf/*-old var/lib/dpkg/*-old \
      etc/passwd- etc/group- etc/shadow- etc/gshadow-
    mkdir -p usr/share/platform
    printf "debian %s (Debian %s, from packages)\n" "$(cat etc/debian_version)" "$PLATFORM_SUITE" \
      >usr/share/platform/image.version
  ' \
  "$@" >&2

mv -f "$work/rootfs.tar" "$output"
say "wrote $output ($(wc -c <"$output") bytes)"
