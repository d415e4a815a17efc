#!/usr/bin/env bash
# docker compose's own end-to-end suite with `platform` as the binary. For looking at differences, not part
# of CI: it takes a Debian host with root, about 20 minutes, 2 GiB of disk, and an engine without anything
# of value (the suite removes images and takes fixed ports and names).
#
#   tests/compose-suite.sh make               source and compiler from Debian, the suite compiled, images made
#   tests/compose-suite.sh run [--peer] [TEST…]   each test by itself; --peer: docker compose, to compare with
#   tests/compose-suite.sh clean              the images and the folder are removed
#
# The images that the suite wants (alpine, nginx, …) are stand-ins made of Debian's packages, so some tests fail
# with docker compose too: compare with a run of --peer. Results are in $FOLDER/out.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
FOLDER=${FOLDER:-/var/tmp/compose-suite}
root=$FOLDER/root
suite=$FOLDER/src
# Each name that the suite uses, and the stand-in for it.
ALPINE="alpine:latest alpine:3.12 alpine:3.13 alpine:3.13.12 alpine:3.14 alpine:3.15 busybox:latest busybox:1.35.0"
DEBIAN="debian:latest bash:latest"
NGINX="nginx:latest nginx:alpine"
IDLE="gtardif/sentences-db:latest mariadb:latest"
OTHERS="alpine/curl:latest hello-world:latest gtardif/sentences-web:latest gtardif/sentences-api:latest"

archive() { # The archive that this host's apt is configured for.
  # shellcheck disable=SC2016
  apt-get indextargets --format '$(REPO_URI)|$(COMPONENT)' 'Created-By: Packages' \
    | awk -F'|' '$2 == "main" { print $1; exit }'
}

compile() {
  command -v mmdebstrap >/dev/null || apt-get install -q -y mmdebstrap >/dev/null
  local from
  from=$(archive)
  mmdebstrap --variant=minbase --aptopt='Acquire::Check-Valid-Until "false"' --include=ca-certificates,dpkg-dev \
    sid "$root" "deb $from sid main" "deb-src $from sid main"
  chroot "$root" sh -euc '
    export DEBIAN_FRONTEND=noninteractive
    cd /root
    apt-get update -qq
    apt-get source -qq docker-compose
    apt-get build-dep -qq -y --no-install-recommends docker-compose
    gopath=/root/go/src/github.com/docker/compose
    mkdir -p "$gopath"
    cp -r docker-compose-*/ "$gopath/v2"
    cd "$gopath/v2"
    export GO111MODULE=off GOPATH=/root/go:/usr/share/gocode
    go test -c -o /root/suite.test ./pkg/e2e
    go build -o /root/example-provider docs/examples/provider.go'
  mkdir -p "$suite" "$FOLDER/ours" "$FOLDER/peer" "$FOLDER/home/.docker"
  cp -r "$root"/root/docker-compose-*/. "$suite"
  cp "$root/root/suite.test" "$FOLDER/"
  cp "$root/root/example-provider" "$FOLDER/ours/"
  cp "$root/root/example-provider" "$FOLDER/peer/"
  echo '{}' >"$FOLDER/home/.docker/config.json"
}

image() { # image NAME LINE…: made from these lines of a Dockerfile, and kept under a name that no test removes
  local name=$1
  shift
  printf '%s\n' "$@" | DOCKER_BUILDKIT=0 docker build -q -t "$(kept "$name")" - >/dev/null
}

kept() { echo "compose-suite/$(tr ':/' '--' <<<"$1"):kept"; }

images() {
  local applets='for name in ash nc ping ip vi nslookup ps top; do ln -sf busybox /bin/$name; done'
  mmdebstrap --variant=minbase --include=ca-certificates,busybox,curl,wget,openssh-client,nginx-light,python3 \
    trixie "$FOLDER/base.tar" "deb $(archive) trixie main"
  docker import "$FOLDER/base.tar" compose-suite/base:kept >/dev/null
  local answer='import http.server as h, json
class Answer(h.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(json.dumps({"word": "cat"}).encode())
h.ThreadingHTTPServer(("", PORT), Answer).serve_forever()'
  serve() { printf '#!/usr/bin/python3\n%s\n' "${answer/PORT/$1}" | base64 -w0; }
  image alpine:latest 'FROM compose-suite/base:kept' "RUN ln -sf busybox /bin/sh && $applets" 'CMD ["/bin/sh"]'
  image debian:latest 'FROM compose-suite/base:kept' 'CMD ["bash"]'
  image nginx:latest 'FROM compose-suite/base:kept' \
    "RUN ln -sf busybox /bin/sh && $applets && mkdir -p /usr/share/nginx && mv /var/www/html /usr/share/nginx/html \
      && mv /usr/share/nginx/html/index* /usr/share/nginx/html/index.html && ln -s /usr/share/nginx/html /var/www/html \
      && ln -sf /dev/stdout /var/log/nginx/access.log && ln -sf /dev/stderr /var/log/nginx/error.log" \
    'EXPOSE 80' 'STOPSIGNAL SIGQUIT' 'CMD ["nginx", "-g", "daemon off;"]'
  image gtardif/sentences-db:latest 'FROM compose-suite/base:kept' 'CMD ["sleep", "infinity"]'
  image alpine/curl:latest "FROM $(kept alpine:latest)" 'ENTRYPOINT ["curl"]'
  image hello-world:latest 'FROM compose-suite/base:kept' 'CMD ["echo", "Hello from Docker!"]'
  image gtardif/sentences-web:latest 'FROM compose-suite/base:kept' \
    "RUN echo $(serve 80) | base64 -d >/dispatcher && chmod +x /dispatcher" 'EXPOSE 80' 'CMD ["/dispatcher"]'
  image gtardif/sentences-api:latest 'FROM compose-suite/base:kept' \
    "RUN echo $(serve 8080) | base64 -d >/usr/bin/java && chmod +x /usr/bin/java" \
    'CMD ["java", "-Xmx8m", "-Xms8m", "-jar", "/app/words.jar"]'
}

supply() { # What a test removed is there again for the next.
  local name
  for name in $ALPINE; do docker tag "$(kept alpine:latest)" "$name"; done
  for name in $DEBIAN; do docker tag "$(kept debian:latest)" "$name"; done
  for name in $NGINX; do docker tag "$(kept nginx:latest)" "$name"; done
  for name in $IDLE; do docker tag "$(kept gtardif/sentences-db:latest)" "$name"; done
  for name in $OTHERS; do docker tag "$(kept "$name")" "$name"; done
}

run() {
  local who=ours test out
  [ "${1:-}" != --peer ] || { who=peer && shift; }
  if [ "$who" = ours ]; then
    (cd "$here" && cargo build)
    cp "$here/target/debug/platform" "$FOLDER/ours/docker-compose"
  else
    "$here/ci/get-compose.sh" "$FOLDER/peer"
  fi
  out=$FOLDER/out/$who
  mkdir -p "$out"
  cd "$suite/pkg/e2e"
  [ $# -gt 0 ] || mapfile -t all < <("$FOLDER/suite.test" -test.list . | grep ^Test)
  for test in "${@:-${all[@]}}"; do
    supply
    HOME=$FOLDER/home COMPOSE_E2E_BIN_PATH=$FOLDER/$who/docker-compose timeout "${LIMIT:-75}" \
      "$FOLDER/suite.test" -test.v -test.run "^$test\$" >"$out/$test.log" 2>&1 || true
    grep -oE "^--- (PASS|FAIL|SKIP): $test .*" "$out/$test.log" || echo "--- HANG: $test"
  done | tee "$out.txt"
  awk '{ count[$2]++ } END { for (end in count) print end, count[end] }' "$out.txt"
}

clean() {
  docker images --format '{{.Repository}}:{{.Tag}}' | grep '^compose-suite/' | xargs -r docker rmi >/dev/null
  local name
  for name in $ALPINE $DEBIAN $NGINX $IDLE $OTHERS; do docker rmi "$name" >/dev/null 2>&1 || true; done
  rm -rf "$FOLDER"
}

case ${1:-} in
  make) compile && images ;;
  run) shift && run "$@" ;;
  clean) clean ;;
  *) sed -n '2,/^set /{/^set /!p}' "$0" && exit 2 ;;
esac
