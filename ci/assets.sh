#!/usr/bin/env bash
# Checks the reference platform's own files: app, proxy, monitoring, dashboards,
# recipes, stack file. Needs no container engine (the one test that does, of nginx
# and a replaced app container, is tests/assets/nginx-replacement.sh). A tool that is missing is got;
# one that cannot be got is a failure, never a skip.
#
#   ci/assets.sh [PYTEST ARGUMENT…]
#
# promtool, amtool, prometheus, alertmanager and nginx are of the very versions that
# the images hold: Debian's packages of the images' release, unpacked under
# target/asset-tools and not installed. Python packages: the app's hashed lock.
set -euo pipefail
cd "$(dirname "$0")/.."
here=$PWD
state=${ASSET_STATE:-$here/target}
suite=$(sed -n 's/^ *PLATFORM_SUITE: *//p' images/debian/recipe.yaml)
start=$SECONDS

say() { printf '\033[1massets\033[0m: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

# --- tools -------------------------------------------------------------------
packages=(prometheus promtool prometheus-alertmanager nginx)
tools=$state/asset-tools/$suite
if [ ! -e "$tools/complete" ]; then
  say "unpacking ${packages[*]} of Debian $suite into $tools"
  rm -rf "$tools"
  ci/debian-packages.sh "$suite" "$tools" "${packages[@]}" >&2
  touch "$tools/complete"
fi
export PATH="$tools/usr/bin:$tools/usr/sbin:$PATH"
for tool in prometheus promtool amtool prometheus-alertmanager nginx; do
  command -v "$tool" >/dev/null || die "$tool is missing"
done
missing=$(ldd "$tools/usr/sbin/nginx" | awk '/not found/ { print $1 }')
if [ -n "$missing" ]; then
  say "installing the libraries that nginx needs: $missing"
  root apt-get -qq update && root apt-get -y -qq install --no-install-recommends libpcre2-8-0 libssl3 zlib1g libcrypt1 >/dev/null
fi
nginx -v || die "nginx of Debian $suite does not run on this host"

# --- Python ------------------------------------------------------------------
lock=$(cat app/requirements-dev.lock <(python3 --version) | sha256sum | cut -c1-16)
venv=$state/asset-venv/$lock
if [ ! -e "$venv/complete" ]; then
  say "making the Python environment $venv"
  rm -rf "$state/asset-venv"
  if ! python3 -c 'import ensurepip' 2>/dev/null; then
    say "installing python3-venv"
    root apt-get -qq update && root apt-get -y -qq install --no-install-recommends python3-venv >/dev/null
  fi
  python3 -m venv "$venv"
  "$venv/bin/pip" install -q --disable-pip-version-check --require-hashes --only-binary=:all: -r app/requirements-dev.lock
  touch "$venv/complete"
fi
python=$venv/bin/python

# --- checks ------------------------------------------------------------------
say "style"
"$venv/bin/ruff" check -q app tests/assets images
"$venv/bin/ruff" format -q --check app tests/assets images
for script in ci/assets.sh ci/get-compose.sh ci/debian-packages.sh tests/assets/*.sh; do bash -n "$script"; done
for script in images/*/*.sh; do sh -n "$script"; done

say "the app"
(cd app && "$python" -m pytest -p no:cacheprovider)
say "proxy, monitoring, dashboards, recipes, stack"
(cd tests/assets && "$python" -m pytest -p no:cacheprovider "$@")
say "all well, in $((SECONDS - start)) s"
