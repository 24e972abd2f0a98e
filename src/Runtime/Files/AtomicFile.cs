namespace CoGrpo.Runtime.Files;

/// <summary>
/// Replaces a file in one step: the content is written aside in the same directory, forced to disk and renamed over the old file.
/// Whoever opens the path sees the old content or the new, never part of it, also after a power cut.
/// </summary>
public static class AtomicFile
{
    /// <summary>Runs <paramref name="write"/> on a stream whose content becomes the file at <paramref name="path"/> when it returns.</summary>
    /// <remarks>On any error the old file is untouched, nothing is left beside it, and the error passes through.</remarks>
    /// <exception cref="IOException">The disk is full, the directory does not exist or another error of the file system.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        string full = Path.GetFullPath(path);
        string aside = AsidePath(full);
        try
        {
            using (var stream = new FileStream(aside, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(aside, full, overwrite: true);
        }
        catch
        {
            File.Delete(aside);
            throw;
        }

        DirectorySync.Flush(Path.GetDirectoryName(full)!);
    }

    /// <summary>Replaces the file by these bytes.</summary>
    /// <exception cref="IOException">As <see cref="Write(string, Action{Stream})"/>.</exception>
    public static void WriteAllBytes(string path, ReadOnlyMemory<byte> bytes) => Write(path, stream => stream.Write(bytes.Span));

    /// <summary>Replaces the file by this text in UTF-8 without byte order mark.</summary>
    /// <exception cref="IOException">As <see cref="Write(string, Action{Stream})"/>.</exception>
    public static void WriteAllText(string path, string text) => WriteAllBytes(path, System.Text.Encoding.UTF8.GetBytes(text));

    /// <summary>A name in the same directory, hence on the same file system, that no other writer uses.</summary>
    internal static string AsidePath(string path) =>
        Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}.{Guid.NewGuid():n}.tmp");
}
