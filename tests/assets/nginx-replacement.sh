#!/usr/bin/env bash
# Does nginx find the app again after its container was replaced? Under load, on a
# network of its own, with the images of the stack (which must be there):
#   start-first  the new one is ready before the old one stops: no request may fail
#   stop-first   the old one is gone before the new one starts, at another address:
#                no request may fail once the new one is ready
# nginx is not reloaded. Ends with everything removed that it made.
set -euo pipefail
cd "$(dirname "$0")/../.."
app=${APP_IMAGE:-devops-app:0.1.0} nginx=${NGINX_IMAGE:-nginx:1.26.3} rounds=${ROUNDS:-3}
id=platform-replacement-$$
work=$(mktemp -d)
load=
cleanup() {
  [ -z "$load" ] || kill "$load" 2>/dev/null || true
  docker ps -aq --filter "label=$id" | xargs -r docker rm -fv >/dev/null 2>&1 || true
  docker network rm "$id" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap cleanup EXIT
die() { echo "nginx-replacement: $*" >&2; exit 1; }

docker network create --label "$id" "$id" >/dev/null
docker run -d --name "$id-nginx" --label "$id" --network "$id" -p 127.0.0.1::8080 --read-only --tmpfs /tmp:mode=1777 \
  --cap-drop ALL --security-opt no-new-privileges:true --user 101:101 -v "$PWD/nginx:/etc/nginx/platform:ro" \
  --entrypoint nginx "$nginx" -e stderr -c /etc/nginx/platform/nginx.conf >/dev/null
base=http://$(docker port "$id-nginx" 8080/tcp | head -n 1)

start() { # NAME
  docker run -d --name "$id-$1" --label "$id" --network "$id" --network-alias app --read-only --tmpfs /tmp \
    --user 10001:10001 "$app" >/dev/null
}
address() { docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$id-$1"; }
ready() { # ADDRESS: asked directly, without nginx
  for _ in $(seq 1 400); do
    curl -fsS -o /dev/null --max-time 1 "http://$1:8000/health/ready" 2>/dev/null && return
    sleep 0.02
  done
  die "the app at $1 is not ready"
}

# One line a request: when it began, the status, the seconds it took.
python3 - "$base" "$work/load" <<'PY' &
import sys, threading, time, urllib.request, urllib.error
base, file = sys.argv[1:]
out = open(file, "w", buffering=1)
def one(method):
    while True:
        begun = time.time()
        try:
            request = urllib.request.Request(base + "/version", method=method)
            status = urllib.request.urlopen(request, timeout=10).status
        except urllib.error.HTTPError as error:
            status = error.code
        except OSError as error:
            status = repr(error).replace(" ", "_")
        out.write(f"{begun:.3f} {status} {time.time() - begun:.3f}\n")
        time.sleep(0.01)
for method in ("GET", "GET", "GET"):
    threading.Thread(target=one, args=(method,), daemon=True).start()
time.sleep(600)
PY
load=$!

sleep 0.5
awk '$2 == 503 { n++ } END { exit n ? 0 : 1 }' "$work/load" || die "without an app nginx must answer 503: $(tail -n 1 "$work/load")"

start v0; ready "$(address v0)"; sleep 2.5
failed=0
check() { # NAME FROM: no failure among the requests that began after FROM
  local bad
  bad=$(awk -v from="$2" '$1 >= from && $2 != 200' "$work/load")
  local slow; slow=$(awk -v from="$2" '$1 >= from && $3 > m { m = $3 } END { printf "%.3f", m }' "$work/load")
  local count; count=$(awk -v from="$2" '$1 >= from { n++ } END { print n + 0 }' "$work/load")
  if [ -n "$bad" ]; then
    echo "FAIL $1: $(wc -l <<<"$bad") of $count requests failed, for instance: $(head -n 3 <<<"$bad" | tr '\n' ';')"; failed=1
  else
    echo "ok   $1: $count requests, none failed, slowest ${slow}s"
  fi
}

old=v0
for round in $(seq 1 "$rounds"); do
  from=$(date +%s.%3N)
  new=a$round; start "$new"; ready "$(address "$new")"
  docker stop -t 5 "$id-$old" >/dev/null; docker rm "$id-$old" >/dev/null
  sleep 2.5; check "start-first $round" "$from"; old=$new

  before=$(address "$old")
  docker stop -t 5 "$id-$old" >/dev/null
  # Something else takes the address that came free.
  for taker in 1 2 3 4; do
    docker run -d --name "$id-taker$round-$taker" --label "$id" --network "$id" --entrypoint sleep "$app" 600 >/dev/null
    [ "$(address "taker$round-$taker")" != "$before" ] || break
  done
  new=b$round; start "$new"; now=$(address "$new")
  [ "$now" != "$before" ] || die "the new app has the old address $before: nothing would be tested"
  ready "$now"; from=$(date +%s.%3N)
  sleep 2.5; check "stop-first $round ($before -> $now)" "$from"
  docker rm "$id-$old" >/dev/null; old=$new
done
exit "$failed"
