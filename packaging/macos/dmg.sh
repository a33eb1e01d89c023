#!/bin/sh
# Signs, packs and notarises build/frozen/SpectroGen.app into dist/. Run from the checkout's root.
#   SIGN_IDENTITY   "Developer ID Application: ..."; without it the program is signed ad hoc
#   NOTARY_PROFILE  a keychain profile of `xcrun notarytool store-credentials`
set -eu
app=build/frozen/SpectroGen.app
version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' spectrogen_app/__init__.py)
dmg=dist/SpectroGen-$version-$(uname -m).dmg
if [ -n "${SIGN_IDENTITY:-}" ]; then
    codesign --deep --force --options runtime --timestamp \
        --entitlements packaging/macos/entitlements.plist --sign "$SIGN_IDENTITY" "$app"
else
    echo "No SIGN_IDENTITY: signed ad hoc; macOS will ask before it opens the program."
    codesign --deep --force --sign - "$app"
fi
codesign --verify --deep --strict "$app"
staging=$(mktemp -d)
cp -R "$app" "$staging/"
ln -s /Applications "$staging/Applications"
mkdir -p dist
hdiutil create -volname "SpectroGen $version" -srcfolder "$staging" -ov -format UDZO "$dmg"
rm -r "$staging"
if [ -n "${SIGN_IDENTITY:-}" ]; then
    codesign --timestamp --sign "$SIGN_IDENTITY" "$dmg"
fi
if [ -n "${SIGN_IDENTITY:-}" ] && [ -n "${NOTARY_PROFILE:-}" ]; then
    xcrun notarytool submit "$dmg" --keychain-profile "$NOTARY_PROFILE" --wait
    xcrun stapler staple "$dmg"
else
    echo "No NOTARY_PROFILE: not notarised."
fi
echo "$dmg"
