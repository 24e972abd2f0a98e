namespace CoGrpo.Model.Conversion;

/// <summary>Refuses a place where a folder cannot be made, before any work is done for it.</summary>
internal static class NewFolder
{
    /// <summary>Checks that nothing is at the path and that its disk has room for <paramref name="bytes"/> bytes.</summary>
    /// <exception cref="ModelException">There is something, or the disk is too full.</exception>
    public static void Check(string path, long bytes)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (Path.Exists(full))
        {
            throw new ModelException($"{full}: wanted a folder to make, got one that exists; choose another name or remove it");
        }

        // The nearest parent that exists is on the disk that will hold the folder.
        string parent = Path.GetDirectoryName(full)!;
        while (!Directory.Exists(parent) && Path.GetDirectoryName(parent) is { } above)
        {
            parent = above;
        }

        long free = new DriveInfo(parent).AvailableFreeSpace;
        if (free < bytes)
        {
            throw new ModelException($"{full}: wanted {bytes} bytes of free space, got {free}; free some or choose another disk");
        }
    }
}
