#!/usr/bin/env bash
# Builds the packages in client/ for Python and TypeScript, and runs their examples against a server of its own, whose binary
# is the argument: `tests/languages.sh [target/release/partnership-server]`. It leaves nothing behind in the repository.
set -euo pipefail
cd "$(dirname "$0")/.."
binary=$(realpath "${1:-target/release/partnership-server}")

# Debian keeps what makes virtual environments, and npm, in packages of their own.
missing=()
python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
command -v npm >/dev/null || missing+=(npm)
[ ${#missing[@]} -eq 0 ] || { apt-get update -qq && apt-get install -y -qq "${missing[@]}"; }
node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' ||
  { echo "the TypeScript package needs Node.js 20 or later; this is $(node --version)" >&2; exit 1; }

work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

# Both need only this much of the repository.
git ls-files --cached --others --exclude-standard -z -- proto client/python client/typescript |
  xargs -0 cp --parents -t "$work"

echo '- Python: build'
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet "$work/client/python"
"$work/venv/bin/python" tests/beside_googleapis.py

echo '- TypeScript: build'
(cd "$work/client/typescript" && npm install --silent --no-audit --no-fund && npm run --silent build)

"$binary" --listen 127.0.0.1:0 --data "$work/data" 2>"$work/log" &
server=$!
for _ in $(seq 1 300); do
  grep -q ' serving ' "$work/log" && break
  kill -0 "$server" || { cat "$work/log"; exit 1; }
  sleep 0.1
done
address=$(sed -n 's/.* serving address=\([0-9.:]*\).*/\1/p' "$work/log")

echo "- the examples, against $address"
timeout 60 "$work/venv/bin/python" "$work/client/python/examples/first_session.py" "$address"
timeout 60 node "$work/client/typescript/build/examples/first_session.js" "http://$address"
