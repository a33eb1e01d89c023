#!/bin/sh
# Uses the installed program as a person would, on a display of its own: menu entry, first start, a
# file opened by double click, another one dropped, generate, export. Screenshots go to OUT.
#   sh use_window.sh OUT FILE DROPPED
# Needs xvfb, openbox, rofi, pcmanfm, adwaita-icon-theme, xdotool and imagemagick. Fails when a step does.
set -eu
out=$1
work=$(mktemp -d)
mkdir "$work/spectra" "$work/more"
cp "$2" "$work/spectra/"
cp "$3" "$work/more/"
export LANG=C.UTF-8 NO_AT_BRIDGE=1
unset QT_QPA_PLATFORM WAYLAND_DISPLAY XDG_SESSION_TYPE || true

Xvfb -displayfd 3 -screen 0 1440x900x24 3> "$work/display" 2> "$work/xvfb.log" &
server=$!
trap 'kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
while [ ! -s "$work/display" ]; do sleep 0.1; done
DISPLAY=:$(cat "$work/display")
export DISPLAY
openbox > /dev/null 2>&1 &

fail() {
    import -window root "$out/failed.png" || true
    echo "FAILED: $1" >&2
    exit 1
}
shot() {
    import -window root "$out/$1.png"
    echo "ok: $1"
}
# Hundredths of a second that the program has computed.
worked() {
    pid=$(pgrep -u "$(id -u)" -f app/spectrogen | head -n 1)
    if [ -n "$pid" ]; then awk '{ print $14 + $15 }' "/proc/$pid/stat"; else echo 0; fi
}
# Waits until the picture on the screen stands still and the program does nothing.
still() {
    picture=none
    did_before=0
    for _ in $(seq 200); do
        sleep 1
        now=$(import -window root rgb:- | cksum)
        did=$(worked)
        [ "$now" = "$picture" ] && [ $((did - did_before)) -lt 10 ] && return
        picture=$now
        did_before=$did
    done
    fail "the screen does not come to rest"
}
# The window whose title matches, once it is there.
window() {
    for _ in $(seq 300); do
        # A window may vanish while the search looks at it.
        found=$(xdotool search --onlyvisible --name "$1" 2> /dev/null | head -n 1)
        [ -n "$found" ] && echo "$found" && return
        sleep 0.2
    done
    return 1
}
# A file manager that shows one file; its icon is then at 208, 118 from the corner.
manager() {
    pcmanfm "$1" 2> /dev/null &
    manages=$!
    folder=$(window "^$(basename "$1")\$") || fail "no file manager"
    xdotool windowmove "$folder" 0 "$2" windowsize "$folder" 420 400
    xdotool windowactivate --sync "$folder"
    still
}
quit() {
    xdotool windowactivate --sync "$1" key ctrl+q
    for _ in $(seq 300); do
        pgrep -u "$(id -u)" -f "app/spectrogen" > /dev/null || return 0
        sleep 0.2
    done
    fail "the program does not end"
}

rofi -modi drun -show drun -show-icons 2> /dev/null &
sleep 2
xdotool type --delay 60 spectrog
still
shot 1_menu_entry
xdotool key Return
shown=$(window '^SpectroGen$') || fail "the menu entry starts nothing"
still
shot 2_first_start
quit "$shown"

manager "$work/spectra" 0
xdotool mousemove 208 118 click --repeat 2 --delay 80 1
shown=$(window '^SpectroGen$') || fail "a double click on a file opens nothing"
still
shot 3_opened_by_double_click

kill "$manages"
wait "$manages" 2> /dev/null || true
manager "$work/more" 480
xdotool mousemove 208 598 mousedown 1
for step in 1 2 3 4 5 6 7 8; do
    xdotool mousemove $((208 + step * 60)) $((598 - step * 20))
    sleep 0.1
done
sleep 0.5
shot 4_dragging
xdotool mouseup 1
still
xdotool windowactivate --sync "$shown"
still
shot 5_dropped

xdotool key ctrl+g
still
shot 6_generated
xdotool key ctrl+shift+e
dialog=$(window '^Export all') || fail "no dialog to export"
xdotool windowactivate --sync "$dialog" key ctrl+a type --delay 20 "$work/all.csv"
xdotool key Return
for _ in $(seq 300); do [ -s "$work/all.csv" ] && break; sleep 0.2; done
grep -q "origin: generated" "$work/all.csv" || grep -q '"origin": "generated"' "$work/all.csv" ||
    fail "the export holds no generated curve"
still
shot 7_exported
quit "$shown"
echo "the window was used"
