using System.Globalization;
using System.IO.Hashing;
using System.Text;

namespace CoGrpo.Rl.Checkpoints;

/// <summary>
/// The file <c>complete</c> of a checkpoint: one line «checksum size name» for each other file in ordinal order of name, then one line
/// «checksum end» over the lines before it. Checksums are XXH3-64 in hexadecimal.
/// </summary>
internal static class CheckpointMarker
{
    public const string FileName = "complete";

    public static void Write(string directory)
    {
        if (Directory.EnumerateDirectories(directory).Any())
        {
            throw new InvalidOperationException($"{directory}: a checkpoint holds files only; write without folders");
        }

        var lines = new StringBuilder();
        foreach (string file in Directory.GetFiles(directory).Order(StringComparer.Ordinal))
        {
            (long size, string checksum) = Measure(file);
            lines.Append(CultureInfo.InvariantCulture, $"{checksum} {size} {Path.GetFileName(file)}\n");
        }

        lines.Append(CultureInfo.InvariantCulture, $"{Checksum(lines.ToString())} end\n");
        File.WriteAllText(Path.Combine(directory, FileName), lines.ToString());
    }

    /// <summary>What is wrong with the checkpoint, or null when all its files are as they were written.</summary>
    public static string? FindFault(string directory)
    {
        try
        {
            string marker = Path.Combine(directory, FileName);
            if (!File.Exists(marker))
            {
                return $"incomplete: no file '{FileName}'";
            }

            string text = File.ReadAllText(marker);
            int end = text.TrimEnd('\n').LastIndexOf('\n') + 1;
            if (text[end..] != $"{Checksum(text[..end])} end\n")
            {
                return $"damaged: '{FileName}' does not match its own checksum";
            }

            return text[..end].Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => FindFault(directory, line))
                .FirstOrDefault(fault => fault is not null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"unreadable: {e.Message}";
        }
    }

    private static string? FindFault(string directory, string line)
    {
        string[] parts = line.Split(' ', 3);
        if (parts.Length != 3 || parts[2] != Path.GetFileName(parts[2]))
        {
            return $"damaged: '{FileName}' has the line '{line}'";
        }

        string file = Path.Combine(directory, parts[2]);
        if (!File.Exists(file))
        {
            return $"damaged: '{parts[2]}' is missing";
        }

        (long size, string checksum) = Measure(file);
        if (size.ToString(CultureInfo.InvariantCulture) != parts[1])
        {
            return $"damaged: '{parts[2]}' has {size} bytes, written were {parts[1]}";
        }

        return checksum == parts[0] ? null : $"damaged: the bytes of '{parts[2]}' have changed";
    }

    private static (long Size, string Checksum) Measure(string file)
    {
        using FileStream stream = File.OpenRead(file);
        var hash = new XxHash3();
        hash.Append(stream);
        return (stream.Position, hash.GetCurrentHashAsUInt64().ToString("x16", CultureInfo.InvariantCulture));
    }

    private static string Checksum(string text) =>
        XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(text)).ToString("x16", CultureInfo.InvariantCulture);
}
