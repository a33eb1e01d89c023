#!/bin/sh
# Sets up the program in .venv: sh packaging/setup.sh [dev]
# As root on Debian or Ubuntu it also installs the system libraries that Qt needs.
set -eu
cd "$(dirname "$0")/.."

libraries="python3-venv fonts-dejavu-core libegl1 libgl1 libopengl0 libfontconfig1 libdbus-1-3
libglib2.0-0 libxkbcommon0 libxkbcommon-x11-0 libx11-xcb1 libxcb-cursor0 libxcb-icccm4
libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xkb1"
[ "${1:-}" = dev ] && libraries="$libraries xvfb xdotool nsis desktop-file-utils appstream"

if command -v dpkg-query >/dev/null; then
    missing=""
    for package in $libraries; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q "ok installed" ||
            missing="$missing $package"
    done
    if [ -n "$missing" ]; then
        if [ "$(id -u)" = 0 ]; then
            echo "Installing$missing"
            apt-get update -qq
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing \
                >/dev/null
        else
            echo "These system packages are missing. If something fails, type:" >&2
            echo "  sudo apt-get install -y$missing" >&2
        fi
    fi
fi

python=$(command -v python3.11 || command -v python3)
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    { echo "Python 3.11 or later is needed; $python is older." >&2; exit 1; }
[ -x .venv/bin/python ] || "$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --editable ".${1:+[$1]}"
echo "Ready: .venv/bin/spectrogen"
