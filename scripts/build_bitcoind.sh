#!/usr/bin/env bash
# Builds a real bitcoind and bitcoin-cli for `make test-bitcoind`, from the Bitcoin Core source that the source
# package of py-bitcoinkernel carries: the same code that the embedded chain runs. About 10 minutes on 2 cores.
#
#   scripts/build_bitcoind.sh [FOLDER]      default: ${XDG_CACHE_HOME:-~/.cache}/bedroll/bitcoind
set -euo pipefail

version=0.1.0a5
digest=71b91eecac7a8b07248be04471c3bf98016b38bf823aefd28f7b31179940520d
cache=${XDG_CACHE_HOME:-$HOME/.cache}/bedroll
folder=${1:-$cache/bitcoind}
python=${PYTHON:-$(dirname "$0")/../.venv/bin/python}
"$python" -m pip --version >/dev/null 2>&1 || python=python3

if [ -x "$folder/bitcoind" ] && [ "$(cat "$folder/version" 2>/dev/null)" = "$version" ]; then
  echo "$folder/bitcoind is there already"
  exit 0
fi

needed=(cmake g++ make pkg-config libboost-dev libevent-dev libsqlite3-dev libzmq3-dev)
missing=()
for package in "${needed[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "installing ${missing[*]}"
  if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
    echo "needs these packages of Debian, and root to install them: ${missing[*]}" >&2
    exit 1
  fi
  as_root=$([ "$(id -u)" = 0 ] || echo sudo)
  $as_root apt-get update -qq
  $as_root apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "fetching the source"
"$python" -m pip download -q --disable-pip-version-check --no-deps --no-binary :all: --dest "$work" "py-bitcoinkernel==$version"
archive=$work/py_bitcoinkernel-$version.tar.gz
echo "$digest  $archive" | sha256sum --check --quiet
tar -xf "$archive" -C "$work"
source=$work/py_bitcoinkernel-$version/depend/bitcoin

echo "configuring"
cmake -S "$source" -B "$work/build" -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTS=OFF -DBUILD_GUI=OFF -DENABLE_IPC=OFF \
  -DWITH_ZMQ=ON -DENABLE_WALLET=OFF -DBUILD_BITCOIN_BIN=OFF -DBUILD_TX=OFF -DBUILD_UTIL=OFF -DINSTALL_MAN=OFF \
  >"$work/configure.log" 2>&1 || { cat "$work/configure.log" >&2; exit 1; }
echo "compiling (minutes)"
cmake --build "$work/build" --target bitcoind bitcoin-cli --parallel "${JOBS:-$(nproc)}" | grep --line-buffered -E '^\[ *[0-9]+%\] (Built|Linking)' || true

mkdir -p "$folder"
cp "$work/build/bin/bitcoind" "$work/build/bin/bitcoin-cli" "$folder/"
echo "$version" > "$folder/version"
"$folder/bitcoind" -version | head -n 1
