using CoGrpo.Model.Conversion;

namespace CoGrpo.Model;

/// <summary>The parts of a model folder that training does not change: whatever stands beside its networks.</summary>
public static class FolderRemainder
{
    /// <summary>
    /// Copies top-level files and folders of <paramref name="source"/> that <paramref name="destination"/> does not have. The manifest stays behind:
    /// its checksums are those of other weights.
    /// </summary>
    /// <exception cref="IOException">The disk is full or another error of the file system.</exception>
    public static void Copy(string source, string destination)
    {
        foreach (string entry in Directory.EnumerateFileSystemEntries(source))
        {
            string copy = Path.Combine(destination, Path.GetFileName(entry));
            if (Path.Exists(copy) || Path.GetFileName(entry) == FolderManifest.FileName)
            {
                continue;
            }

            if (!Directory.Exists(entry))
            {
                File.Copy(entry, copy);
                continue;
            }

            foreach (string file in Directory.EnumerateFiles(entry, "*", SearchOption.AllDirectories))
            {
                string to = Path.Combine(copy, Path.GetRelativePath(entry, file));
                Directory.CreateDirectory(Path.GetDirectoryName(to)!);
                File.Copy(file, to);
            }
        }
    }
}
