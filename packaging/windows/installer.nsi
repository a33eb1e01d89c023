; Installer for Windows.
;   makensis -DVERSION=0.1.0 -DPAYLOAD=..\..\build\frozen\SpectroGen -DOUTPUT=..\..\dist\setup.exe installer.nsi
; For this user by default, without admin rights; /ALLUSERS installs for everybody (asks for them).
; Silent: /S, with /D=FOLDER last. Uninstalling leaves projects, settings and own models.
Unicode true
SetCompressor /SOLID lzma
ManifestDPIAware true
ManifestSupportedOS all

!ifndef VERSION
  !error "give -DVERSION=x.y.z"
!endif
!ifndef PAYLOAD
  !error "give -DPAYLOAD=folder of the frozen program"
!endif
!ifndef OUTPUT
  !define OUTPUT "SpectroGen-${VERSION}-setup.exe"
!endif

!define MULTIUSER_EXECUTIONLEVEL Highest
!define MULTIUSER_MUI
!define MULTIUSER_INSTALLMODE_COMMANDLINE
!define MULTIUSER_INSTALLMODE_DEFAULT_CURRENTUSER
!define MULTIUSER_INSTALLMODE_INSTDIR "SpectroGen"
!define MULTIUSER_USE_PROGRAMFILES64
!define MULTIUSER_INSTALLMODE_INSTDIR_REGISTRY_KEY "Software\SpectroGen"
!define MULTIUSER_INSTALLMODE_INSTDIR_REGISTRY_VALUENAME "Folder"
!include MultiUser.nsh
!include MUI2.nsh
!include x64.nsh
!include WinVer.nsh
!include FileFunc.nsh
!include LogicLib.nsh

!define UNINSTALL_KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\SpectroGen"

Name "SpectroGen ${VERSION}"
OutFile "${OUTPUT}"
BrandingText "SpectroGen ${VERSION}"
VIProductVersion "${VERSION}.0"
VIAddVersionKey ProductName "SpectroGen"
VIAddVersionKey FileDescription "SpectroGen installer"
VIAddVersionKey FileVersion "${VERSION}"
VIAddVersionKey ProductVersion "${VERSION}"
VIAddVersionKey LegalCopyright "MIT licence"

!define MUI_ABORTWARNING
!ifdef ICON
  !define MUI_ICON "${ICON}"
  !define MUI_UNICON "${ICON}"
!endif
!insertmacro MUI_PAGE_WELCOME
!insertmacro MULTIUSER_PAGE_INSTALLMODE
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_COMPONENTS
!insertmacro MUI_PAGE_INSTFILES
!define MUI_FINISHPAGE_RUN "$INSTDIR\SpectroGen.exe"
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"

!macro RefuseWhileRunning PROGRAM
  ; A program that runs holds its own file: it cannot be opened for appending.
  ${If} ${FileExists} "$INSTDIR\${PROGRAM}"
    ClearErrors
    FileOpen $0 "$INSTDIR\${PROGRAM}" a
    ${If} ${Errors}
      MessageBox MB_ICONSTOP|MB_OK "SpectroGen is running, or its folder cannot be written.$\r$\nClose the program and start this again." /SD IDOK
      SetErrorLevel 2
      Quit
    ${EndIf}
    FileClose $0
  ${EndIf}
!macroend

!macro Associate EXTENSION DESCRIPTION
  WriteRegStr SHCTX "Software\Classes\SpectroGen${EXTENSION}" "" "${DESCRIPTION}"
  WriteRegStr SHCTX "Software\Classes\SpectroGen${EXTENSION}\DefaultIcon" "" "$INSTDIR\SpectroGen.exe,0"
  WriteRegStr SHCTX "Software\Classes\SpectroGen${EXTENSION}\shell\open\command" "" '"$INSTDIR\SpectroGen.exe" "%1"'
  WriteRegStr SHCTX "Software\Classes\${EXTENSION}\OpenWithProgids" "SpectroGen${EXTENSION}" ""
!macroend

!macro Dissociate EXTENSION
  DeleteRegKey SHCTX "Software\Classes\SpectroGen${EXTENSION}"
  DeleteRegValue SHCTX "Software\Classes\${EXTENSION}\OpenWithProgids" "SpectroGen${EXTENSION}"
  DeleteRegKey /ifempty SHCTX "Software\Classes\${EXTENSION}\OpenWithProgids"
  DeleteRegKey /ifempty SHCTX "Software\Classes\${EXTENSION}"
!macroend

!macro ForEachExtension MACRO
  !insertmacro ${MACRO} ".spectrogen" "SpectroGen project"
  !insertmacro ${MACRO} ".jdx" "JCAMP-DX spectrum"
  !insertmacro ${MACRO} ".dx" "JCAMP-DX spectrum"
  !insertmacro ${MACRO} ".spc" "Galactic SPC spectrum"
  !insertmacro ${MACRO} ".wdf" "Renishaw WiRE spectrum"
  !insertmacro ${MACRO} ".spa" "Thermo OMNIC spectrum"
  !insertmacro ${MACRO} ".xrdml" "PANalytical XRDML pattern"
!macroend
!macro DissociateOne EXTENSION DESCRIPTION
  !insertmacro Dissociate ${EXTENSION}
!macroend

Function .onInit
  ${IfNot} ${IsNativeAMD64}
    MessageBox MB_ICONSTOP|MB_OK "SpectroGen needs 64-bit Windows on an Intel or AMD processor." /SD IDOK
    SetErrorLevel 3
    Quit
  ${EndIf}
  ${IfNot} ${AtLeastWin10}
    MessageBox MB_ICONSTOP|MB_OK "SpectroGen needs Windows 10 or later." /SD IDOK
    SetErrorLevel 3
    Quit
  ${EndIf}
  StrCpy $R9 $INSTDIR  ; of /D=, which the next line forgets where a version is installed
  !insertmacro MULTIUSER_INIT
  ${If} $R9 != ""
    StrCpy $INSTDIR $R9
  ${EndIf}
FunctionEnd

Function un.onInit
  !insertmacro MULTIUSER_UNINIT
FunctionEnd

Section "SpectroGen" Main
  SectionIn RO
  !insertmacro RefuseWhileRunning "SpectroGen.exe"
  !insertmacro RefuseWhileRunning "spectrogen-cli.exe"
  ; Before the older version goes: is there room for the new one? In MB: kB overflow at 2 TB.
  SectionGetSize ${Main} $1
  IntOp $1 $1 / 1024
  IntOp $1 $1 + 1
  ${GetRoot} "$INSTDIR" $2
  ${DriveSpace} "$2\" "/D=F /S=M" $3
  ${If} ${FileExists} "$INSTDIR\_internal\*.*"
    ${GetSize} "$INSTDIR\_internal" "/S=0M" $4 $5 $6
    IntOp $3 $3 + $4
  ${EndIf}
  ${If} $3 < $1
    MessageBox MB_ICONSTOP|MB_OK "The disk is too full: SpectroGen needs $1 MB on $2 and $3 MB are free.$\r$\nNothing was changed. Free space and start this again." /SD IDOK
    SetErrorLevel 4
    Quit
  ${EndIf}
  ; An older version goes first, so that no file of it stays among the new ones.
  RMDir /r "$INSTDIR\_internal"
  SetOutPath "$INSTDIR"
  ClearErrors
  File /r "${PAYLOAD}\*.*"
  ${If} ${Errors}
    MessageBox MB_ICONSTOP|MB_OK "Not all files could be written: the disk may be full. Free space and start this again." /SD IDOK
    SetErrorLevel 2
    Quit
  ${EndIf}
  CreateShortcut "$SMPROGRAMS\SpectroGen.lnk" "$INSTDIR\SpectroGen.exe"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  WriteRegStr SHCTX "Software\SpectroGen" "Folder" "$INSTDIR"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "DisplayName" "SpectroGen"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "DisplayVersion" "${VERSION}"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "DisplayIcon" "$INSTDIR\SpectroGen.exe"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "Publisher" "The SpectroGen authors"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "InstallLocation" "$INSTDIR"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "UninstallString" '"$INSTDIR\uninstall.exe" /$MultiUser.InstallMode'
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /$MultiUser.InstallMode /S'
  WriteRegDWORD SHCTX "${UNINSTALL_KEY}" "NoModify" 1
  WriteRegDWORD SHCTX "${UNINSTALL_KEY}" "NoRepair" 1
  ${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
  WriteRegDWORD SHCTX "${UNINSTALL_KEY}" "EstimatedSize" $0
SectionEnd

Section "Offer SpectroGen for spectrum files" Associations
  !insertmacro ForEachExtension Associate
  ${RefreshShellIcons}
SectionEnd

Section /o "Shortcut on the desktop" Desktop
  CreateShortcut "$DESKTOP\SpectroGen.lnk" "$INSTDIR\SpectroGen.exe"
SectionEnd

Section "Uninstall"
  !insertmacro RefuseWhileRunning "SpectroGen.exe"
  !insertmacro RefuseWhileRunning "spectrogen-cli.exe"
  RMDir /r "$INSTDIR\_internal"
  Delete "$INSTDIR\SpectroGen.exe"
  Delete "$INSTDIR\spectrogen-cli.exe"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  Delete "$SMPROGRAMS\SpectroGen.lnk"
  Delete "$DESKTOP\SpectroGen.lnk"
  !insertmacro ForEachExtension DissociateOne
  DeleteRegKey SHCTX "${UNINSTALL_KEY}"
  DeleteRegKey SHCTX "Software\SpectroGen"
  ${RefreshShellIcons}
SectionEnd
