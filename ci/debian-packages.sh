#!/usr/bin/env bash
# Unpacks Debian packages into a folder without installing them: nothing of this
# host changes and no service of a package starts.
#
#   ci/debian-packages.sh SUITE FOLDER PACKAGE…
#
# They come from the archive that this host's apt is configured for, with only the
# release name replaced, through an apt state of its own, and are verified by
# Debian's archive keyring. Dependencies are not followed.
set -euo pipefail
suite=$1 folder=$2
shift 2
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

die() { printf 'debian-packages: %s\n' "$*" >&2; exit 1; }

ID='' VERSION_CODENAME=''
[ ! -r /etc/os-release ] || . /etc/os-release
[ "$ID" = debian ] || die "this needs a Debian host (this is ${PRETTY_NAME:-unknown}); wanted: $*"
for tool in apt-get dpkg-deb; do command -v "$tool" >/dev/null || die "$tool is missing"; done
[ -r "$keyring" ] || die "$keyring is missing: apt-get install debian-archive-keyring"

work=$(mktemp -d "${TMPDIR:-/tmp}/debian-packages.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{etc,lists/partial,cache/archives/partial}

# shellcheck disable=SC2016
apt-get indextargets --format '$(REPO_URI)|$(RELEASE)|$(COMPONENT)' 'Created-By: Packages' \
  | awk -F'|' -v host="$VERSION_CODENAME" -v suite="$suite" -v keyring="$keyring" '
      $3 != "main" || seen[$1 $2]++ { next }
      $2 == host { print "deb [signed-by=" keyring "] " $1 " " suite " main" }
      # Unstable has neither of these.
      suite != "sid" && ($2 == host "-security" || $2 == host "-updates") {
        sub("^" host, suite, $2); print "deb [signed-by=" keyring "] " $1 " " $2 " main" }' >"$work/etc/packages.list"
[ -s "$work/etc/packages.list" ] || die "apt has no source for $VERSION_CODENAME main to take the archive from"

apt=(
  -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/etc"
  -o Dir::Etc::preferencesparts=/dev/null -o Dir::State::lists="$work/lists"
  -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root -o APT::Default-Release=
  -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false
  -o Acquire::Retries=3
)
apt-get "${apt[@]}" -qq update
(cd "$work" && apt-get "${apt[@]}" -qq download "$@")
mkdir -p "$folder"
for package in "$work"/*.deb; do
  dpkg-deb -x "$package" "$folder"
  dpkg-deb -W --showformat='${Package} ${Version}\n' "$package"
done
