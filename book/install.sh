#!/bin/sh
# Make the virtual environment $VENV if it is missing and install minillm with the extra named $1,
# in the exact versions of constraints.txt. Called by the Makefile.
set -eu
fail() { echo "minillm: $*" >&2; exit 1; }

if ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
    command -v "$PYTHON" >/dev/null 2>&1 \
        || fail "no $PYTHON on this machine; choose another: make book PYTHON=/path/to/python3"
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
        || fail "Python 3.11 or newer is needed, $PYTHON is older; choose another with PYTHON=..."
    "$PYTHON" -c 'import venv, ensurepip' 2>/dev/null \
        || fail "$PYTHON cannot make virtual environments; on Debian: apt-get install python3-venv"
    echo "Making $VENV with $("$PYTHON" --version)"
    "$PYTHON" -m venv --clear "$VENV"
fi
echo "Installing the pinned versions into $VENV (a minute or two, once)"
"$VENV/bin/python" -m pip install --quiet --constraint constraints.txt --editable ".[$1]"

# bytepiece is measured too. It needs a pyahocorasick of bytes, which has to be compiled.
if [ "$1" = parity ]; then
    pip() { "$VENV/bin/python" -m pip install --quiet --constraint constraints.txt "$@"; }
    pip Cython setuptools wheel
    AHOCORASICK_BYTES=1 pip --no-build-isolation --no-binary pyahocorasick,bytepiece \
        pyahocorasick bytepiece \
        || echo "minillm: bytepiece could not be compiled (is there a C compiler?); its rows are left out" >&2
fi
