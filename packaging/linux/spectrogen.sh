#!/bin/sh
# Starts SpectroGen, or says in plain words why this system cannot.
here=$(dirname "$(readlink -f "$0")")
fail() {
    echo "SpectroGen: $1" >&2
    if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
        zenity --error --no-markup --title=SpectroGen --text="$1" 2>/dev/null ||
            kdialog --title SpectroGen --error "$1" 2>/dev/null ||
            xmessage -center "$(printf '%s\n' "$1" | fold -s -w 80)" 2>/dev/null
    fi
    exit 1
}
machine=$(uname -m)
[ "$machine" = "@MACHINE@" ] || fail "This build is for @MACHINE@ processors; this one is $machine. Install the build for $machine, or install from source with pip."
libc=$(getconf GNU_LIBC_VERSION 2>/dev/null | cut -d' ' -f2)
[ -n "$libc" ] || fail "This build needs the GNU C library @GLIBC@ or later; none was found. Install from source with pip."
oldest=$(printf '%s\n@GLIBC@\n' "$libc" | sort -V | head -n 1)
[ "$oldest" = "@GLIBC@" ] || fail "This build needs the GNU C library @GLIBC@ or later; this system has $libc. Use a newer system (Debian 12, Ubuntu 22.10, Fedora 37 or later), or install from source with pip."
# What the program needs before it can look after the rest itself.
for part in "$here/app/spectrogen" "$here"/app/_internal/libpython3*.so* "$here/app/_internal/base_library.zip"; do
    [ -s "$part" ] || fail "The installation is damaged: $(basename "$part") is missing. Install SpectroGen again; your data and settings are kept."
done
exec "$here/app/spectrogen" "$@"
