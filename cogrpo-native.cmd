@echo off
rem Runs cogrpo-native from the sources: builds what changed, quietly unless the build fails.
setlocal
set DOTNET_CLI_TELEMETRY_OPTOUT=1
set DOTNET_NOLOGO=1
where dotnet >nul 2>nul
if errorlevel 1 (
    echo error: dotnet is not on the PATH; install the .NET 10 SDK from https://dotnet.microsoft.com/download 1>&2
    exit /b 1
)
pushd "%~dp0"
dotnet --version >nul 2>nul
if errorlevel 1 (
    popd
    echo error: the .NET 10 SDK is needed; install it from https://dotnet.microsoft.com/download 1>&2
    exit /b 1
)
set LOG=%TEMP%\cogrpo-native-build-%RANDOM%.log
dotnet build -c Release src\Cli --nologo -v quiet > "%LOG%" 2>&1
if errorlevel 1 (
    type "%LOG%" 1>&2
    del "%LOG%"
    popd
    echo error: the build failed; the lines above say where 1>&2
    exit /b 1
)
del "%LOG%"
popd
dotnet "%~dp0src\Cli\bin\Release\net10.0\cogrpo-native.dll" %*
exit /b %ERRORLEVEL%
