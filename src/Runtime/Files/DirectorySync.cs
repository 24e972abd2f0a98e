using System.Runtime.InteropServices;

namespace CoGrpo.Runtime.Files;

/// <summary>
/// Forces the names in a directory to disk: a rename is durable only after this. .NET opens no directory handles, hence the C library.
/// </summary>
internal static partial class DirectorySync
{
    // O_RDONLY | O_CLOEXEC; O_DIRECTORY has another value on each architecture and is not needed.
    private const int ReadOnlyCloseOnExec = 0x80000;

    public static void Flush(string directory)
    {
        if (!OperatingSystem.IsLinux())
        {
            // Windows and macOS order directory changes in their journals; there is nothing to call.
            return;
        }

        int handle = Open(directory, ReadOnlyCloseOnExec);
        if (handle < 0)
        {
            throw new IOException($"{directory}: cannot open the directory to flush it (errno {Marshal.GetLastPInvokeError()})");
        }

        int result = FSync(handle);
        int error = Marshal.GetLastPInvokeError();
        _ = Close(handle);

        // EINVAL: the file system has no notion of flushing a directory.
        if (result != 0 && error != 22)
        {
            throw new IOException($"{directory}: cannot flush the directory (errno {error})");
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(int handle);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int handle);
}
