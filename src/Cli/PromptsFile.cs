using System.Text;

namespace CoGrpo.Cli;

/// <summary>A text file with one prompt per line.</summary>
internal static class PromptsFile
{
    /// <summary>The lines of <paramref name="path"/> that hold more than white space, trimmed.</summary>
    /// <exception cref="CommandException">The file is missing, or not UTF-8; <paramref name="option"/> is named.</exception>
    public static IReadOnlyList<string> Read(string option, string path)
    {
        if (!File.Exists(path))
        {
            throw new CommandException($"{option}: {path} does not exist; check the path", ExitCode.Usage);
        }

        byte[] bytes = File.ReadAllBytes(path);
        string text;
        try
        {
            text = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetString(bytes);
        }
        catch (DecoderFallbackException error)
        {
            int line = 1 + bytes.AsSpan(0, Math.Clamp(error.Index, 0, bytes.Length)).Count((byte)'\n');
            throw new CommandException(
                $"{option}: expected UTF-8 text, found other bytes in line {line} of {path}; save it as UTF-8",
                ExitCode.Usage
            );
        }

        return [.. text.TrimStart('\uFEFF').Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0)];
    }
}
