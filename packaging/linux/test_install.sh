#!/bin/sh
# Installs the .deb on a clean Debian 12 made by debootstrap, uses it, removes it, and looks for traces.
#   sh packaging/linux/test_install.sh dist/spectrogen_*.deb [OUT]
# Needs root and the packages debootstrap, desktop-file-utils and appstream. Screenshots go to OUT.
set -eu
deb=$(readlink -f "$1")
out=$(readlink -f "${2:-dist}")
here=$(dirname "$(readlink -f "$0")")
mirror=${MIRROR:-http://deb.debian.org/debian}
root=$(mktemp -d)
trap 'umount "$root/proc" 2>/dev/null || true; rm -rf --one-file-system "$root"' EXIT
debootstrap --variant=minbase bookworm "$root" "$mirror" > "$out/debootstrap.log"
mount -t proc proc "$root/proc"
inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "$@"; }
inside apt-get update -q
inside apt-get install -yq --no-install-recommends python3 xvfb xdotool imagemagick fonts-dejavu-core
cp "$deb" "$root/tmp/"
inside find / -xdev -not -path "/tmp/*" -not -path "/proc/*" | sort > "$out/before.txt"
inside apt-get install -yq --no-install-recommends "/tmp/$(basename "$deb")"
desktop-file-validate "$root"/usr/share/applications/io.github.spectrogen.SpectroGen.desktop
appstreamcli validate --no-net "$root"/usr/share/metainfo/io.github.spectrogen.SpectroGen.metainfo.xml
inside useradd -m user
cp "$here/../smoke_test.py" "$here/../smoke_reference.json" "$here/use_window.sh" "$root/tmp/"
chroot "$root" su - user -c "python3 /tmp/smoke_test.py /usr/bin/spectrogen"
chroot "$root" su - user -c "sh /tmp/use_window.sh /usr/bin/spectrogen /tmp"
cp "$root"/tmp/*.png "$out/"
inside apt-get purge -yq spectrogen
if inside sh -c 'ls -d /usr/lib/spectrogen /usr/bin/spectrogen 2>/dev/null'; then
    echo "the package left files behind" >&2
    exit 1
fi
inside find / -xdev \( -iname '*spectrogen*' \) -not -path "/tmp/*" -not -path "/home/*" -not -path "/proc/*" \
    -not -path "/var/log/*" -not -path "/var/lib/dpkg/*" -not -path "/var/cache/*" > "$out/left.txt"
if [ -s "$out/left.txt" ]; then
    echo "left behind:" >&2
    cat "$out/left.txt" >&2
    exit 1
fi
echo "installed, used and removed without a trace"
