#!/usr/bin/env bash
# Builds the image of deploy/Dockerfile and runs it by the commands of the README, then by deploy/compose.yaml; the argument
# is the partnerctl that talks to it from outside: `tests/container.sh [target/release/partnerctl]`. As root on Linux, with an
# engine of its own in namespaces of its own: no engine, container, volume or port of the machine is touched, and nothing is
# left behind. Where no engine can start, it says so and passes; whatever goes wrong after that is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
partnerctl=$(realpath "${1:-target/release/partnerctl}")

not_tested() {
  printf '\nTHE CONTAINER WAS NOT TESTED: %s\n' "$1"
  exit 0
}
step() { printf -- '- %s (at %s s)\n' "$1" "$SECONDS"; }
fail() {
  printf 'FAILED: %s\n' "$1" >&2
  exit 1
}
checks=0
ok() {
  checks=$((checks + 1))
  printf '  ok: %s\n' "$1"
}

# ---- An engine of its own ----

[ "$(uname -s)" = Linux ] || not_tested 'an engine of its own needs Linux'
[ "$(id -u)" = 0 ] || not_tested 'an engine of its own needs root'
missing=()
command -v dockerd >/dev/null || missing+=(docker.io)
command -v ip >/dev/null || missing+=(iproute2)
command -v mmdebstrap >/dev/null || missing+=(mmdebstrap)
{ docker compose version || docker-compose version; } >/dev/null 2>&1 || missing+=(docker-compose)
if [ ${#missing[@]} -gt 0 ]; then
  command -v apt-get >/dev/null || not_tested "this machine has no ${missing[*]}, and no apt-get"
  step "installing ${missing[*]}"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}"; } >/dev/null ||
    not_tested "${missing[*]} could not be installed"
fi

work=$(mktemp -d)
outer=
cleanup() {
  status=$?
  set +e
  if [ -n "$outer" ]; then
    containers=$(docker ps -aq)
    if [ "$status" != 0 ]; then
      tail -5 "$work/engine.log"
      for one in $containers; do docker inspect -f '{{.Name}}' "$one" && docker logs --tail 20 "$one" 2>&1; done
    fi | cut -c1-300
    [ -z "$containers" ] || docker rm -fv $containers >/dev/null
    # Its child, the first process of its namespace, is killed with it, and all others of that namespace with the first.
    kill -KILL "$outer" && wait "$outer"
    find /sys/fs/cgroup -depth -type d -path "*/container-test-$$*" -exec rmdir {} +
  fi 2>/dev/null
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

step 'starting an engine'
export DOCKER_HOST="unix://$work/engine.sock"
unshare --net --mount --pid --fork --kill-child --mount-proc sh -c 'ip link set lo up; "$@"' sh \
  dockerd --host "$DOCKER_HOST" --data-root "$work/data" --exec-root "$work/exec" --pidfile "$work/pid" \
  --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/container-test-$$" >"$work/engine.log" 2>&1 &
outer=$!
for _ in $(seq 1 60); do
  docker info >/dev/null 2>&1 && break
  kill -0 "$outer" 2>/dev/null || break
  sleep 0.5
done
docker info >/dev/null 2>&1 || not_tested "the engine does not start: $(tail -1 "$work/engine.log")"
inner=$(ps -o pid= --ppid "$outer" | tr -d ' ')

# ---- The image to build with ----

builder=$(sed -n 's/^ARG BUILDER=//p' deploy/Dockerfile)
rust=${builder#rust:} && rust=${rust%%-*}
suite=${builder##*-}
if env -u DOCKER_HOST docker pull --quiet "$builder" >/dev/null 2>&1; then
  step "taking $builder from the machine's engine"
  env -u DOCKER_HOST docker save "$builder" | docker load --quiet
else
  step "making a stand-in for $builder"
  cat <<END
  NOT THE REAL ONE: $builder cannot be pulled here. What bears its name below is made of packages of Debian $suite
  and of this machine's $(rustc --version).
END
  case $(rustc --version) in "rustc $rust."*) ;; *) echo "  AND THAT IS NOT RUST $rust" ;; esac
  root=$work/root
  # Unpacked and not set up: a compiler needs no more, and it takes a quarter of the time.
  mmdebstrap --quiet --variant=extract --include=base-files,dash,coreutils,findutils,gcc,libc6-dev "$suite" "$root"
  ln -s gcc "$root/usr/bin/cc"
  mkdir -p "$root/usr/local/bin" "$root/usr/local/lib"
  sysroot=$(rustc --print sysroot)
  cp "$sysroot/bin/rustc" "$sysroot/bin/cargo" "$root/usr/local/bin/"
  cp -r "$sysroot/lib/." "$root/usr/local/lib/"
  tar -C "$root" -c . | docker import --change 'ENV CARGO_HOME=/usr/local/cargo' - "$builder" >/dev/null
  rm -rf "$root"
fi
# The engine is cut off from all networks. So the crates are in the image already.
cargo fetch --quiet --locked
mkdir "$work/crates"
for part in registry/cache registry/index config.toml; do
  from=${CARGO_HOME:-$HOME/.cargo}
  [ ! -e "$from/$part" ] || (cd "$from" && cp -r --parents "$part" "$work/crates")
done
printf 'FROM %s\nCOPY . /usr/local/cargo/\n' "$builder" |
  docker build --quiet --tag "$builder" --file - "$work/crates" >"$work/build.log" 2>&1 ||
  { cat "$work/build.log"; fail 'the crates are not in the image to build with'; }
rm -rf "$work/crates"

# ---- The image, by the commands of the README ----

# Runs the command of the README that begins so.
readme() {
  local command
  command=$(sed -n '/^## In a container/,/^## Real/p' README.md | sed ':a; /\\$/ { N; s/ *\\\n */ /; ba }' | grep "^docker $1") ||
    fail "the README has no command 'docker $1'"
  [ "$(wc -l <<<"$command")" = 1 ] || fail "the README has several commands 'docker $1'"
  printf '  $ %s\n' "$command"
  eval "$command"
}
# From outside, by the published port, which is one of the engine's namespace.
outside() { nsenter --target "$inner" --net -- "$partnerctl" --server http://127.0.0.1:50051 "$@"; }
until_healthy() {
  local said
  for _ in $(seq 1 100); do
    said=$(docker inspect -f '{{.State.Health.Status}}' "$1")
    [ "$said" != healthy ] || return 0
    [ "$(docker inspect -f '{{.State.Running}}' "$1")" = true ] || break
    sleep 0.3
  done
  fail "$1 does not become healthy, it is $said"
}
until_serving() {
  for _ in $(seq 1 100); do
    ! docker exec "$1" partnership-server health >/dev/null 2>&1 || return 0
    sleep 0.1
  done
  fail "$1 does not serve"
}
exit_code() { docker inspect -f '{{.State.ExitCode}}' "$1"; }
state() { nsenter --target "$inner" --pid --mount -- cat "/proc/$(docker inspect -f '{{.State.Pid}}' "$1")/status"; }

step 'building the image'
readme build >"$work/build.log" 2>&1 || { tail -40 "$work/build.log"; fail 'the image is not built'; }
size=$(docker image inspect -f '{{.Size}}' partnership-registry)
[ "$size" -lt 25000000 ] || fail "the image has $size bytes"
ok "it has $((size / 1000000)) MB"
docker create --name looked-at partnership-registry >/dev/null
# The engine itself adds what it mounts over, in these directories.
files=$(docker export looked-at | tar -t | grep -vE '/$|^(dev|etc|proc|sys)/|^\.dockerenv$')
docker rm -v looked-at >/dev/null
[ "$files" = usr/local/bin/partnership-server ] || fail "there are other files in the image: $files"
ok 'it holds the server and nothing else'
said=$(docker run --rm --network none --read-only partnership-registry --version)
label=$(docker image inspect -f '{{index .Config.Labels "org.opencontainers.image.version"}}' partnership-registry)
[ "$said" = "partnership-server $label" ] || fail "it is called $label, and says $said"
ok "it is what its label says: $said"

step 'running it'
readme 'run -d'
until_healthy registry
ok 'it becomes healthy by its own check'
readme exec
state registry >"$work/state"
for line in 'Uid:.65532.65532.65532.65532' 'Gid:.65532.65532.65532.65532' 'CapEff:.0*' 'CapBnd:.0*' 'NoNewPrivs:.1'; do
  grep -qx "$line" "$work/state" || fail "the process is not as it should be, $line: $(cat "$work/state")"
done
ok 'it runs as nobody in particular, with no capability, and gets none'
outside create countries/kr --set display_name=Korea --set region_code=KR
[ "$(outside get countries/kr -o json | grep -c '"displayName": "Korea"')" = 1 ] || fail 'what was written is not there'
ok 'it is written to and read from outside'
outside create meetings/m --set display_name=M --set time_zone=Asia/Tehran >/dev/null
ok 'it knows the time zones, though the image has none'

step 'killing it'
( number=0
  while outside create "countries/c$number" --set display_name=C >/dev/null 2>&1; do
    echo "countries/c$number" >>"$work/acknowledged"
    number=$((number + 1))
  done ) &
writing=$!
sleep 2
docker kill -s KILL registry >/dev/null
wait "$writing"
[ "$(exit_code registry)" = 137 ] || fail "killed, it ends with exit code $(exit_code registry)"
docker start registry >/dev/null
until_serving registry
outside get $(cat "$work/acknowledged") countries/kr -o ndjson >"$work/found"
expected=$(($(wc -l <"$work/acknowledged") + 1))
[ "$expected" -gt 5 ] || fail "only $expected writes were acknowledged"
[ "$(wc -l <"$work/found")" = "$expected" ] || fail "of $expected resources, $(wc -l <"$work/found") are there"
ok "all $expected resources that were acknowledged are there after a kill"

step 'stopping it'
outside watch countries >/dev/null 2>&1 &
watching=$!
sleep 1
began=$(date +%s%N)
readme stop
took=$((($(date +%s%N) - began) / 1000000))
[ "$(exit_code registry)" = 0 ] || fail "it ends with exit code $(exit_code registry)"
[ "$took" -lt 9500 ] || fail "it took $took ms to stop"
kill "$watching" 2>/dev/null || true
wait "$watching" 2>/dev/null || true
readme logs 2>&1 | grep -q ' stopped$' || fail 'its log does not say that it stopped'
ok "stopped with a watch open, it ends by itself, in $took ms, with exit code 0"
verified=$(readme 'run --rm')
printf '%s\n' "$verified"
ok 'its journal is verified on a volume that may only be read'
docker rm registry >/dev/null

step 'volumes that cannot be written'
# Ends as a container that is refused does: by itself, with exit code 1 and a message.
refused() {
  local volume=$1 code=0
  docker run --rm --name refused --read-only --cap-drop ALL -v "$volume" partnership-registry >"$work/refused" 2>&1 || code=$?
  sed 's/^/  | /' "$work/refused"
  [ "$code" = 1 ] || fail "refused, it ends with exit code $code"
  shift
  for words in "$@"; do
    grep -qF "$words" "$work/refused" || fail "it does not say '$words'"
  done
}
refused new:/data:ro 'error: could not create /data/journal; its file system may only be read'
ok 'an empty volume that may only be read is refused'
mkdir -m 755 "$work/of-root"
refused "$work/of-root:/data" 'error: could not create /data/journal' 'this process is user 65532, and /data is of user 0'
ok "a directory of another user's is refused"
chown 65532:65532 "$work/of-root"
docker run -d --name own -v "$work/of-root:/data" --read-only partnership-registry >/dev/null
until_serving own
docker rm -f own >/dev/null
ok "a directory of the host that is the server's own is served"
docker run -d --name read-only --read-only -v partnership-registry:/data:ro -p 127.0.0.1:50051:50051 partnership-registry >/dev/null
until_serving read-only
outside get countries/kr >/dev/null
! outside delete countries/kr 2>"$work/told" || fail 'a volume that may only be read was written'
sed 's/^/  | /' "$work/told"
! docker exec read-only partnership-server health --writes 2>"$work/told" || fail 'its health does not tell'
sed 's/^/  | /' "$work/told"
docker rm -f read-only >/dev/null
ok 'a registry on a volume that may only be read is served, and refuses writes'

step 'by compose'
compose() {
  if docker compose version >/dev/null 2>&1; then docker compose -f deploy/compose.yaml "$@"; else docker-compose -f deploy/compose.yaml "$@"; fi
}
compose version --short
compose up -d --no-build
one=$(compose ps -q registry)
until_healthy "$one"
settings='{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}} {{.HostConfig.Memory}} {{.HostConfig.RestartPolicy.Name}}'
settings=$(docker inspect -f "$settings" "$one")
[ "$settings" = 'true [ALL] [no-new-privileges:true] 1073741824 unless-stopped' ] || fail "its settings are $settings"
[ "$(outside get countries/kr -o json | grep -c '"displayName": "Korea"')" = 1 ] || fail 'it is not on the volume of the README'
ok 'it becomes healthy with the settings of compose.yaml, on the same volume'
began=$(date +%s%N)
compose stop
took=$((($(date +%s%N) - began) / 1000000))
[ "$(exit_code "$one")" = 0 ] || fail "stopped, it ends with exit code $(exit_code "$one")"
compose down
ok "it stops by itself, in $took ms with compose's own time"

printf '\ncontainer: %s checks passed (at %s s)\n' "$checks" "$SECONDS"
