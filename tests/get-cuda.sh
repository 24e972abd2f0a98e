#!/usr/bin/env bash
# Puts NVIDIA's run-time compiler 12.4 and 11.8 into tests/.nvrtc, and two driver libraries into tests/.driver (one of today, which finds no GPU on
# a machine without one, and one that is too old), from the non-free component of the Debian mirror that this machine already uses. Nothing is
# installed: packages are fetched with package lists of their own and unpacked. Does nothing when they are there already.
#   tests/get-cuda.sh
# Without apt (another system) it leaves the folders alone; the tests then use the compiler they find on the machine.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
complete=1
for folder in .nvrtc/12.4 .nvrtc/11.8 .driver/current .driver/old; do
    [ -f "$here/$folder/complete" ] || complete=0
done
if [ "$complete" -eq 1 ]; then exit 0; fi

if ! command -v apt-get > /dev/null 2>&1 || ! command -v dpkg-deb > /dev/null 2>&1; then
    echo "get-cuda: no apt on this machine; the tests use the NVRTC they find (COGRPO_NVRTC names one)" >&2
    exit 0
fi
if [ "$(dpkg --print-architecture)" != amd64 ]; then
    echo "get-cuda: NVRTC is packaged for amd64 only" >&2
    exit 0
fi

mirror="$(sed -n -E 's/^URIs:[[:space:]]*([^[:space:]]+).*/\1/p' /etc/apt/sources.list.d/*.sources 2> /dev/null | head -n 1)"
if [ -z "$mirror" ]; then
    mirror="$(sed -n -E 's/^deb[[:space:]]+(\[[^]]*\][[:space:]]+)?([^[:space:]]+).*/\2/p' /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2> /dev/null | head -n 1)"
fi
if [ -z "$mirror" ]; then
    echo "error: get-cuda found no package mirror in /etc/apt; install libnvrtc12 and libnvrtc11.2 by hand, or name a library in COGRPO_NVRTC" >&2
    exit 1
fi

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
for suite in bullseye bookworm trixie; do
    echo "deb [signed-by=$keyring] $mirror $suite non-free" >> "$work/sources.list"
done
options=(-qq -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache"
    -o APT::Sandbox::User=root -o Acquire::Retries=3)
apt-get "${options[@]}" update || echo "get-cuda: not every package list could be fetched" >&2

# fetch FOLDER LIBRARY PACKAGE...: the files of that name in the packages
fetch() {
    local folder="$here/$1" library="$2" unpacked="$work/$1"
    shift 2
    rm -rf "$folder"
    mkdir -p "$folder" "$unpacked"
    (cd "$unpacked" && apt-get "${options[@]}" download "$@")
    for package in "$unpacked"/*.deb; do
        dpkg-deb --extract "$package" "$unpacked/root"
    done
    find "$unpacked/root" ! -type d -name "$library" -exec cp -P {} "$folder/" \;
    touch "$folder/complete"
}

fetch .nvrtc/12.4 'libnvrtc*.so*' libnvrtc12 libnvrtc-builtins12.4
fetch .nvrtc/11.8 'libnvrtc*.so*' libnvrtc11.2 libnvrtc-builtins11.8
fetch .driver/current 'libcuda.so*' libcuda1/bookworm
# The old driver is in a release that mirrors drop one day; the tests that want a real one then have none.
fetch .driver/old 'libcuda.so*' libnvidia-tesla-450-cuda1 || echo "get-cuda: no old driver on this mirror" >&2
