using System.Diagnostics;
using System.Runtime.InteropServices;

namespace CoGrpo.Tests.Runtime.Files;

/// <summary>
/// A directory on which a large file cannot be written: a 256 KiB tmpfs where mounting is permitted, else the kernel's limit on file
/// size for this process. Both make a real write system call fail half-way.
/// </summary>
internal sealed partial class SmallDisk : IDisposable
{
    public const int Bytes = 256 << 10;
    private const int FileSizeResource = 1;
    private const int FileSizeSignal = 25;

    // Without a handler the signal that goes with a failed write would end the process. It is handled on another thread, perhaps after
    // the test: the registration stays.
    private static readonly Lazy<PosixSignalRegistration> Signal = new(() =>
        PosixSignalRegistration.Create((PosixSignal)FileSizeSignal, context => context.Cancel = true)
    );

    private readonly bool _mounted;
    private readonly ulong _oldLimit;

    public SmallDisk(bool mount)
    {
        Path = Directory.CreateTempSubdirectory("cogrpo-small-disk").FullName;
        _mounted = mount && Run("mount", "-t", "tmpfs", "-o", $"size={Bytes}", "tmpfs", Path);
        if (!_mounted)
        {
            _ = Signal.Value;
            GetLimit(FileSizeResource, out Limit limit);
            _oldLimit = limit.Soft;
            limit.Soft = Bytes;
            Assert.Equal(0, SetLimit(FileSizeResource, in limit));
        }
    }

    public string Path { get; }

    public void Dispose()
    {
        if (_mounted)
        {
            Assert.True(Run("umount", Path));
        }
        else
        {
            GetLimit(FileSizeResource, out Limit limit);
            limit.Soft = _oldLimit;
            Assert.Equal(0, SetLimit(FileSizeResource, in limit));
        }

        Directory.Delete(Path, recursive: true);
    }

    /// <summary>Runs an action that must fail for want of room. .NET reports a file beyond the size limit as an argument out of range.</summary>
    public static void AssertFull(Action write)
    {
        Exception error = Assert.ThrowsAny<Exception>(write);
        Assert.True(error is IOException or ArgumentOutOfRangeException { ParamName: "value" }, error.ToString());
    }

    private static bool Run(string program, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetLimit(int resource, out Limit limit);

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static partial int SetLimit(int resource, in Limit limit);

    [StructLayout(LayoutKind.Sequential)]
    private struct Limit
    {
        public ulong Soft;
        public ulong Hard;
    }
}
