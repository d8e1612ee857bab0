#!/bin/sh
# Runs a command with Node 24 or newer first on PATH: the machine's own, else a pinned one from npm, kept in the cache.
set -eu

oldest=24
pinned=26.10.0
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cache=${VENOM_CACHE_DIR:-${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}}/venom/node-$pinned

is_new_enough() {
  major=$("$1" -p 'process.versions.node.split(".")[0]' 2>/dev/null) || return 1
  [ "$major" -ge "$oldest" ] 2>/dev/null
}

install_node() {
  if ! command -v npm >/dev/null 2>&1; then
    echo "venom: neither Node $oldest or newer nor npm was found; install Node from https://nodejs.org and try again" >&2
    exit 1
  fi
  found=$(node -v 2>/dev/null || echo none)
  echo "Node $oldest or newer is needed (found: $found); fetching Node $pinned from npm into $cache" >&2
  partial=$cache.partial.$$
  trap 'rm -rf "$partial"' EXIT
  trap 'exit 130' INT TERM
  mkdir -p "$partial"
  cp "$here/node-runtime/package.json" "$here/node-runtime/package-lock.json" "$partial/"
  # A cache of its own: nothing but this folder is to stay on disk.
  (cd "$partial" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error --no-update-notifier --cache "$partial/npm-cache" >&2)
  mkdir "$partial/bin"
  for binary in "$partial"/node_modules/node-*/bin/node; do
    [ -f "$binary" ] && mv "$binary" "$partial/bin/node"
  done
  if ! is_new_enough "$partial/bin/node"; then
    echo "venom: npm has no Node $pinned that runs on this machine; install Node from https://nodejs.org and try again" >&2
    exit 1
  fi
  rm -rf "$partial/node_modules" "$partial/npm-cache"
  # Another start may have been faster; its copy is as good.
  is_new_enough "$cache/bin/node" || { rm -rf "$cache" && mv "$partial" "$cache"; }
  rm -rf "$partial"
  trap - EXIT INT TERM
}

if ! is_new_enough node; then
  is_new_enough "$cache/bin/node" || install_node
  PATH=$cache/bin:$PATH
  export PATH
fi
exec "$@"
