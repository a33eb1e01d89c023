#!/bin/sh
# Exercises the installer under wine, with a placeholder in place of the program.
#   sh packaging/windows/test_installer.sh
# Needs the packages nsis and wine64. The installer is compiled as a 64-bit program for this, so that
# no 32-bit wine is needed.
set -eu
here=$(dirname "$(readlink -f "$0")")
folder=$(mktemp -d)
server=$(command -v wineserver || echo /usr/lib/wine/wineserver64)
trap '"$server" -k 2>/dev/null || true; umount "$folder/disk" 2>/dev/null || true; rm -rf "$folder"' EXIT
export WINEPREFIX="$folder/wine" WINEDEBUG=-all WINEARCH=win64 WINEDLLOVERRIDES="mscoree,mshtml="
wine=$(command -v wine64 || echo /usr/lib/wine/wine64)

say() { echo "ok: $1"; }
fail() { echo "FAILED: $1" >&2; exit 1; }

make_payload() {
    rm -rf "$folder/payload"
    mkdir -p "$folder/payload/_internal"
    # A program that wine can run and that stays: its own command interpreter.
    cp "$WINEPREFIX/drive_c/windows/system32/cmd.exe" "$folder/payload/SpectroGen.exe"
    cp "$folder/payload/SpectroGen.exe" "$folder/payload/spectrogen-cli.exe"
    echo "$1" > "$folder/payload/_internal/$2"
}
compile() {
    makensis -V1 -X"Target amd64-unicode" -DVERSION="$1" -DPAYLOAD="$folder/payload" \
        -DOUTPUT="$folder/SpectroGen-$1-setup.exe" "$here/installer.nsi"
}

# A disk of its own as S:, where it may be mounted; what it is like is mount's business.
disk() {
    mkdir -p "$folder/disk"
    mount -t tmpfs -o "$1" tmpfs "$folder/disk" 2>/dev/null || return 1
    ln -sfn "$folder/disk" "$WINEPREFIX/dosdevices/s:"
}

"$wine" wineboot --init > /dev/null 2>&1
"$wine" winecfg -v win10 > /dev/null 2>&1
make_payload one old.dll
compile 0.1.0
"$wine" "$folder/SpectroGen-0.1.0-setup.exe" /S /CURRENTUSER
installed=$(find "$WINEPREFIX/drive_c/users" -path '*SpectroGen/SpectroGen.exe' | head -n 1)
[ -f "$installed" ] || fail "not installed"
say "installed for this user"
target=$(dirname "$installed")
[ -f "$target/_internal/old.dll" ] || fail "a file is missing"
echo keep > "$target/../my-project.spectrogen"

make_payload two new.dll
compile 0.2.0
mkfifo "$folder/nothing"
exec 3<> "$folder/nothing"
for program in SpectroGen spectrogen-cli; do
    "$wine" "$target/$program.exe" /c "set /p wait=" < "$folder/nothing" > /dev/null 2>&1 &
    sleep 3
    code=0
    "$wine" "$folder/SpectroGen-0.2.0-setup.exe" /S /CURRENTUSER || code=$?
    [ "$code" -ne 0 ] && [ -f "$target/_internal/old.dll" ] || fail "overwrote a running $program"
    say "refused while $program runs (exit $code)"
    "$server" -k || true
    wait || true
done
"$wine" "$folder/SpectroGen-0.2.0-setup.exe" /S /CURRENTUSER
[ -f "$target/_internal/new.dll" ] && [ ! -e "$target/_internal/old.dll" ] || fail "not upgraded cleanly"
say "upgraded in place"
"$wine" reg query 'HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall\SpectroGen' /v DisplayVersion | grep -q 0.2.0
"$wine" reg query 'HKCU\Software\Classes\.spc\OpenWithProgids' | grep -q SpectroGen.spc
"$wine" reg query 'HKCU\Software\Classes\.spectrogen\OpenWithProgids' | grep -q SpectroGen.spectrogen
say "registered"

head -c 9000000 /dev/urandom > "$folder/payload/_internal/large.dll"
compile 0.3.0
if disk size=4m; then
    code=0
    "$wine" "$folder/SpectroGen-0.3.0-setup.exe" /S /CURRENTUSER '/D=S:\SpectroGen' || code=$?
    left=$(find "$folder/disk" -type f)
    umount "$folder/disk"
    [ "$code" -eq 4 ] && [ -z "$left" ] || fail "a full disk was not noticed (exit $code, $left)"
    say "refused on a full disk, nothing changed (exit $code)"
fi
if disk size=100m,nr_inodes=5; then
    code=0
    "$wine" "$folder/SpectroGen-0.3.0-setup.exe" /S /CURRENTUSER '/D=S:\SpectroGen' || code=$?
    umount "$folder/disk"
    [ "$code" -eq 2 ] || fail "a disk that became full was not noticed (exit $code)"
    say "stopped when the disk took no more files (exit $code)"
fi
"$wine" "$target/uninstall.exe" /S /CURRENTUSER "_?=$(printf 'Z:%s' "$target" | tr / '\\')"
[ ! -e "$target/SpectroGen.exe" ] && [ ! -e "$target/_internal" ] || fail "files left behind"
[ -f "$target/../my-project.spectrogen" ] || fail "the user's project is gone"
say "uninstalled; the user's project is kept"
if "$wine" reg query 'HKCU\Software\SpectroGen' > /dev/null 2>&1; then
    fail "registry keys left"
fi
if disk size=3000g; then
    "$wine" "$folder/SpectroGen-0.3.0-setup.exe" /S /CURRENTUSER '/D=S:\SpectroGen' || fail "not on a large disk"
    [ -f "$folder/disk/SpectroGen/_internal/large.dll" ] || fail "a file is missing on the large disk"
    say "installed on a disk of 3 TB"
fi
echo "installer test passed"
