namespace CoGrpo.Runtime.Files;

/// <summary>Creates a directory with all its files in one step: filled aside, forced to disk, renamed. It exists whole or not at all.</summary>
public static class AtomicDirectory
{
    /// <summary>
    /// Runs <paramref name="write"/> with the path of an empty directory, which becomes <paramref name="path"/> when it returns. Missing
    /// parents are created.
    /// </summary>
    /// <remarks>
    /// A directory that exists at the path is replaced as a whole. Directories cannot be exchanged in one step, so a power cut at that
    /// moment may leave neither there. On any error the old directory is in place, nothing is left beside it, and the error passes through.
    /// </remarks>
    /// <exception cref="IOException">The disk is full or another error of the file system.</exception>
    public static void Write(string path, Action<string> write)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        string parent = Path.GetDirectoryName(full)!;
        Directory.CreateDirectory(parent);
        string aside = AtomicFile.AsidePath(full);
        try
        {
            Directory.CreateDirectory(aside);
            write(aside);
            FlushTree(aside);
            Publish(aside, full);
        }
        catch
        {
            // It is not there when creating it was what failed, and no second error may hide the first.
            if (Directory.Exists(aside))
            {
                Directory.Delete(aside, recursive: true);
            }

            throw;
        }

        DirectorySync.Flush(parent);
    }

    /// <summary>Removes a directory so that a crash on the way leaves no half of it under its name.</summary>
    /// <exception cref="IOException">An error of the file system.</exception>
    public static void Delete(string path)
    {
        string aside = AtomicFile.AsidePath(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
        Directory.Move(path, aside);
        Directory.Delete(aside, recursive: true);
    }

    private static void Publish(string aside, string full)
    {
        if (!Directory.Exists(full))
        {
            Directory.Move(aside, full);
            return;
        }

        string old = AtomicFile.AsidePath(full);
        Directory.Move(full, old);
        try
        {
            Directory.Move(aside, full);
        }
        catch
        {
            Directory.Move(old, full);
            throw;
        }

        Directory.Delete(old, recursive: true);
    }

    private static void FlushTree(string directory)
    {
        foreach (string file in Directory.EnumerateFiles(directory))
        {
            using Microsoft.Win32.SafeHandles.SafeFileHandle handle = File.OpenHandle(file, FileMode.Open, FileAccess.ReadWrite);
            RandomAccess.FlushToDisk(handle);
        }

        foreach (string child in Directory.EnumerateDirectories(directory))
        {
            FlushTree(child);
        }

        DirectorySync.Flush(directory);
    }
}
