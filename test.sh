#!/usr/bin/env bash
# Builds everything and runs the tests. The last line is "N passed, N failed".
#   ./test.sh            all tests
#   ./test.sh fixtures   the parity cases alone, with a table of their errors
#   ./test.sh FILTER     tests whose full name contains FILTER
set -uo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cd "$root" || exit 1
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_UI_LANGUAGE=en

if ! command -v dotnet > /dev/null 2>&1; then
    echo "error: dotnet is not on the PATH; install the .NET 10 SDK from https://dotnet.microsoft.com/download" >&2
    exit 1
fi

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# The kernels are compiled and run in an emulated device: that needs NVIDIA's compiler, which needs no GPU.
tests/get-cuda.sh > "$work/cuda" 2>&1 &
cuda=$!

if ! dotnet build -c Release CoGrpo.sln --nologo -v quiet > "$work/build" 2>&1; then
    cat "$work/build" >&2
    echo "error: the build failed; the lines above say where" >&2
    exit 1
fi

if ! wait "$cuda"; then
    cat "$work/cuda" >&2
    echo "error: tests/get-cuda.sh could not fetch NVRTC; the lines above say why" >&2
    exit 1
fi

filter=()
case "${1:-}" in
    "") ;;
    fixtures)
        filter=(--filter "Category=fixtures")
        export COGRPO_PARITY_TABLE="$work/table"
        ;;
    *) filter=(--filter "FullyQualifiedName~$1") ;;
esac

dotnet test -c Release --no-build tests --nologo -v quiet --logger "console;verbosity=normal" ${filter[@]+"${filter[@]}"} > "$work/tests" 2>&1
status=$?

# The runner names each test; a passed one says nothing that its count does not.
grep -v -E '^ +(Passed|Skipped) |^\[xUnit|^$|^Test Run|^Total tests|^ +(Passed|Failed|Skipped): |^ +Total time|^A total of|^Starting test|^Test run for|^VSTest|^Test Run Successful' "$work/tests"
if [ -s "$work/table" ]; then cat "$work/table"; fi

count() { sed -n -E "s/^ +$1: *([0-9]+).*/\1/p" "$work/tests" | tail -n 1; }
passed="$(count Passed)"
failed="$(count Failed)"
if [ -z "$passed$failed" ]; then
    echo "error: no test ran; the runner's output is above" >&2
    if [ "$status" -eq 0 ]; then status=1; fi
fi
echo "${passed:-0} passed, ${failed:-0} failed"
exit "$status"
