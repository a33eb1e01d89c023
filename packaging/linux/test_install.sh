#!/bin/sh
# Installs the .deb on a clean Debian 12, uses it, upgrades it while it runs, removes it and looks for
# traces; then runs the .tar.gz from a home directory. In the end a clean system is as it was before.
#   sh packaging/linux/test_install.sh dist [OUT [FILE DROPPED]]
# dist holds what build.py made. FILE is opened by double click and DROPPED is dragged in; they default
# to examples. Screenshots go to OUT. Needs root and debootstrap, desktop-file-utils and appstream.
# CLEAN_ROOT names a clean minimal Debian 12 to copy instead of running debootstrap.
set -eu
dist=$(readlink -f "$1")
mkdir -p "${2:-$1}"
out=$(readlink -f "${2:-$1}")
here=$(dirname "$(readlink -f "$0")")
examples=$(readlink -f "$here/../../resources/examples")
file=${3:-$examples/quartz_ir.jdx}
dropped=${4:-$examples/quartz_raman.csv}
deb=$(ls "$dist"/spectrogen_*.deb)
tar=$(ls "$dist"/spectrogen-*-linux-*.tar.gz)
root=$(mktemp -d)
clean_up() {
    umount "$root/dev/shm" "$root/dev" "$root/proc" 2>/dev/null || true
    umount -l "$root/dev/shm" "$root/dev" "$root/proc" 2>/dev/null || true
    rm -rf --one-file-system "$root"
}
trap clean_up EXIT
if [ -n "${CLEAN_ROOT:-}" ]; then
    cp -a "$CLEAN_ROOT/." "$root"
else
    debootstrap --variant=minbase bookworm "$root" "${MIRROR:-http://deb.debian.org/debian}" > "$out/debootstrap.log"
fi
chmod 755 "$root"
cp /etc/resolv.conf "$root/etc/"
cp -r /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mount --bind /dev/shm "$root/dev/shm"
inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
# As a user without rights, with the network cut off.
as_user() { unshare -n chroot "$root" su - user -c "export LANG=C.UTF-8; $1"; }
apt() { inside apt-get -yqq --no-install-recommends -o Dpkg::Use-Pty=0 "$@" >> "$out/apt.log" 2>&1; }
files() {
    inside find / -xdev -regextype egrep \
        -not -regex '/(tmp|home|root|run|proc|dev|var/(log|cache|lib/(apt|dpkg)))/.*' | sort
}

: > "$out/apt.log"
apt update
apt install python3 xvfb xdotool imagemagick openbox rofi pcmanfm adwaita-icon-theme librsvg2-common \
    fonts-dejavu-core shared-mime-info desktop-file-utils procps
inside useradd -m user
mkdir "$root/tmp/in"
cp "$here/../smoke_test.py" "$here/../smoke_reference.json" "$here/use_window.sh" "$root/tmp/"
cp "$file" "$root/tmp/in/$(basename "$file")"
cp "$dropped" "$root/tmp/in/$(basename "$dropped")"
cp "$deb" "$tar" "$root/tmp/"
inside chown -R user /tmp/in
files > "$out/before.txt"

apt install "/tmp/$(basename "$deb")"
echo "ok: installed, $(du -sm "$root/usr/lib/spectrogen" | cut -f1) MB"
desktop-file-validate "$root"/usr/share/applications/io.github.spectrogen.SpectroGen.desktop
appstreamcli validate --no-net "$root"/usr/share/metainfo/io.github.spectrogen.SpectroGen.metainfo.xml
as_user "python3 /tmp/smoke_test.py /usr/bin/spectrogen"
used=0
as_user "mkdir shots && sh /tmp/use_window.sh ~/shots '/tmp/in/$(basename "$file")' '/tmp/in/$(basename "$dropped")'" || used=1
cp "$root"/home/user/shots/*.png "$out/"
[ "$used" = 0 ] || exit 1

# Upgrade while the program runs: the old files stay open, the new ones are there at the next start.
as_user "Xvfb :77 > /dev/null 2>&1 & DISPLAY=:77 exec spectrogen" &
running=$!
sleep 15
mkdir "$root/tmp/newer"
dpkg-deb -R "$deb" "$root/tmp/newer"
sed -i 's/^Version: .*/&+next/' "$root/tmp/newer/DEBIAN/control"
dpkg-deb -Znone --build "$root/tmp/newer" "$root/tmp/newer.deb" > /dev/null
rm -r "$root/tmp/newer"
apt install /tmp/newer.deb
kill -0 "$running" || { echo "FAILED: the upgrade ended the running program" >&2; exit 1; }
as_user "spectrogen --version" | grep -q "^SpectroGen "
echo "ok: upgraded while the program ran; it goes on, and starts anew"
inside pkill -u user || true
wait "$running" || true

apt purge spectrogen
apt autoremove --purge
files > "$out/after.txt"
if ! diff "$out/before.txt" "$out/after.txt"; then
    echo "FAILED: the system is not as it was before (< before, > after)" >&2
    exit 1
fi
[ -d "$root/home/user/.config/SpectroGen" ] || { echo "FAILED: the user's settings are gone" >&2; exit 1; }
echo "ok: removed without a trace but the user's data"

# The libraries of the system that a desktop has anyway; the package above had brought them.
apt install $(dpkg-deb -f "$deb" Depends | tr ',' '\n' | sed 's/(.*//')
as_user "mkdir -p 'Eigene Programme ä' && cd 'Eigene Programme ä' && tar xzf /tmp/$(basename "$tar") && python3 /tmp/smoke_test.py \"\$PWD\"/spectrogen-*/spectrogen"
echo "ok: the .tar.gz runs from a home directory"
echo "test of the installation passed"
