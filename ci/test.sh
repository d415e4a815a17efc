#!/usr/bin/env bash
# All tests, with whatever they need installed first: unit and snapshot tests, the architecture's
# rules, end-to-end tests against the container engine, and the reference platform's own tests.
#
#   bash ci/test.sh            everything
#   bash ci/test.sh unit       what needs no engine, in seconds
set -euo pipefail
cd "$(dirname "$0")/.."

what=${1:-all}

need() { # need COMMAND PACKAGE
  command -v "$1" >/dev/null 2>&1 && return
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing $2 for $1"
    [ -n "${UPDATED:-}" ] || { apt-get update -q >/dev/null; UPDATED=1; }
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$2" >/dev/null
  else
    echo "missing: $1. Install it first (Debian: apt-get install $2)" >&2
    exit 1
  fi
}

need cargo cargo
need cc gcc

if [ "$what" = unit ]; then
  exec cargo test --lib --test architecture
fi

need ip iproute2
need nsenter util-linux
need mmdebstrap mmdebstrap
need dpkg-deb dpkg
docker version >/dev/null 2>&1 || need docker docker.io
docker version --format 'engine {{.Server.Version}}, API {{.Server.APIVersion}}' || {
  echo "no container engine answers; start one (for example: dockerd &)" >&2
  exit 1
}
# The peer that our containers are compared with.
docker compose version >/dev/null 2>&1 || bash ci/get-compose.sh

# A test that fails is tried once more, alone: what only a busy machine breaks passes then, what is
# broken fails again. Both are printed.
run_tests() {
  mkdir -p target
  local log=target/test.log failed
  if cargo test --lib --bins --tests --no-fail-fast -- --test-threads=3 2>&1 | tee "$log"; then return 0; fi
  mapfile -t failed < <(grep -oE '^    [a-z_0-9]+(::[a-zA-Z_0-9]+)*$' "$log" | sort -u | tr -d ' ')
  if [ "${#failed[@]}" -eq 0 ] || [ "${#failed[@]}" -gt 12 ]; then return 1; fi
  echo "once more, alone: ${failed[*]}"
  cargo test --lib --bins --tests --no-fail-fast -- --exact --test-threads=1 "${failed[@]}"
}

export PLATFORM_TEST_STRICT=1
started=$SECONDS
run_tests
echo "tests: $((SECONDS - started)) s"

started=$SECONDS
bash ci/assets.sh
echo "reference platform: $((SECONDS - started)) s"
