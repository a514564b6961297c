#!/bin/sh
# Makes .venv with locked packages, or says in Chinese and English which package of the system is missing.
# usage: tools/setup.sh run|test
set -eu
cd "$(dirname "$0")/.."
what=${1:?run or test}
venv=.venv
python=$venv/bin/python

missing() { # what, Debian packages, other systems
    printf '\n缺少 %s。请安装后重试。\n%s is missing. Install it and try again.\n\n' "$1" "$1" >&2
    printf '    Debian / Ubuntu:  apt-get install %s\n' "$2" >&2
    [ -z "${3:-}" ] || printf '    %s\n' "$3" >&2
    printf '\n' >&2
    exit 1
}

find_python() {
    for name in ${PYTHON:-} python3 python3.11 python3.12 python3.13; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$name"
            return
        fi
    done
}

make_venv() {
    found=$(find_python)
    [ -n "$found" ] || missing "Python 3.11+" "python3 python3-venv"
    "$found" -c 'import ensurepip, venv' 2>/dev/null || missing "venv (Python)" "python3-venv"
    "$found" -m venv "$venv"
}

openmp_is_here() { # LightGBM is linked with it and does not bring it along
    "$python" - <<'PY'
import ctypes, sys
if sys.platform == "linux":
    ctypes.CDLL("libgomp.so.1")
PY
}

install() {
    "$python" -m pip --disable-pip-version-check --quiet install --require-hashes --no-build-isolation -r "$1"
}

"$python" -m pip --version >/dev/null 2>&1 || { rm -rf "$venv" && make_venv; }
openmp_is_here 2>/dev/null || missing "libgomp (OpenMP)" "libgomp1"

printf '安装锁定的软件包 / installing locked packages: requirements/%s.txt\n' "$what"
install requirements/build.txt
install "requirements/$what.txt"
"$python" -m pip --disable-pip-version-check --quiet install --no-deps --no-build-isolation --editable .
"$python" -c 'import lightgbm' 2>/dev/null || missing "OpenMP" "libgomp1" "macOS:            brew install libomp"
