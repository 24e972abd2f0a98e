namespace CoGrpo.Runtime.Files;

/// <summary>Keeps links of a folder from elsewhere from pointing at files that are none of its business, which a copy would publish.</summary>
public static class FolderLinks
{
    private const int MostLinks = 40;

    /// <summary>
    /// Checks that a file of a folder lies in it, wherever links lead. The cache of the model hub is allowed for: its folders
    /// <c>snapshots/REVISION</c> hold links into <c>blobs</c> beside <c>snapshots</c>.
    /// </summary>
    /// <exception cref="WeightsFolderException">A link leads out, nowhere or in a circle.</exception>
    public static void Check(string root, string file)
    {
        string real = Resolve(file, file, 0), inside = Resolve(root, file, 0);
        DirectoryInfo? snapshots = Directory.GetParent(inside);
        string? blobs = snapshots is { Name: "snapshots", Parent: not null } ? Path.Combine(snapshots.Parent.FullName, "blobs") : null;
        if (!IsBelow(real, inside) && (blobs is null || !IsBelow(real, blobs)))
        {
            throw new WeightsFolderException(file, "link", $"a file within {root}", $"a link to {real}", "put the file itself in its place");
        }

        if (!Path.Exists(real))
        {
            throw new WeightsFolderException(file, "link", "a file", $"a link to {real}, which does not exist", "fetch the file again");
        }
    }

    private static bool IsBelow(string path, string folder) =>
        path.StartsWith(folder.TrimEnd(Path.DirectorySeparatorChar) + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    /// <summary>The path without links.</summary>
    private static string Resolve(string path, string file, int links)
    {
        if (links > MostLinks)
        {
            throw new WeightsFolderException(file, "link", "a file", "links in a circle", "put the file itself in its place");
        }

        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (Path.GetDirectoryName(full) is not { } parent)
        {
            return full;
        }

        string own = Path.Combine(Resolve(parent, file, links), Path.GetFileName(full));
        return new FileInfo(own).LinkTarget is { } target ? Resolve(Path.Combine(Path.GetDirectoryName(own)!, target), file, links + 1) : own;
    }
}
