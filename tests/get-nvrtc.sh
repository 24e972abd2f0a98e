#!/usr/bin/env bash
# Puts NVRTC 12.4 and 11.8 into tests/.nvrtc, from the non-free component of the Debian mirror that this machine already uses. Nothing is
# installed: packages are fetched with package lists of their own and unpacked. Does nothing when they are there already.
#   tests/get-nvrtc.sh
# Without apt (another system) it leaves the folder alone; the tests then use the NVRTC they find on the machine.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
target="$here/.nvrtc"
versions="12.4 11.8"

complete=1
for version in $versions; do
    [ -f "$target/$version/complete" ] || complete=0
done
if [ "$complete" -eq 1 ]; then exit 0; fi

if ! command -v apt-get > /dev/null 2>&1 || ! command -v dpkg-deb > /dev/null 2>&1; then
    echo "get-nvrtc: no apt on this machine; the tests use the NVRTC they find (COGRPO_NVRTC names one)" >&2
    exit 0
fi
if [ "$(dpkg --print-architecture)" != amd64 ]; then
    echo "get-nvrtc: NVRTC is packaged for amd64 only" >&2
    exit 0
fi

mirror="$(sed -n -E 's/^URIs:[[:space:]]*([^[:space:]]+).*/\1/p' /etc/apt/sources.list.d/*.sources 2> /dev/null | head -n 1)"
if [ -z "$mirror" ]; then
    mirror="$(sed -n -E 's/^deb[[:space:]]+(\[[^]]*\][[:space:]]+)?([^[:space:]]+).*/\2/p' /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2> /dev/null | head -n 1)"
fi
if [ -z "$mirror" ]; then
    echo "error: get-nvrtc found no package mirror in /etc/apt; install libnvrtc12 and libnvrtc11.2 by hand, or name a library in COGRPO_NVRTC" >&2
    exit 1
fi

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
for suite in bookworm trixie; do
    echo "deb [signed-by=$keyring] $mirror $suite non-free" >> "$work/sources.list"
done
options=(-qq -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache"
    -o APT::Sandbox::User=root -o Acquire::Retries=3)
apt-get "${options[@]}" update

# fetch VERSION PACKAGE...
fetch() {
    local version="$1"
    shift
    rm -rf "${target:?}/$version"
    mkdir -p "$target/$version" "$work/$version"
    (cd "$work/$version" && apt-get "${options[@]}" download "$@")
    for package in "$work/$version"/*.deb; do
        dpkg-deb --extract "$package" "$work/$version/root"
    done
    cp -P "$work/$version"/root/usr/lib/x86_64-linux-gnu/libnvrtc* "$target/$version/"
    touch "$target/$version/complete"
}

fetch 12.4 libnvrtc12 libnvrtc-builtins12.4
fetch 11.8 libnvrtc11.2 libnvrtc-builtins11.8
