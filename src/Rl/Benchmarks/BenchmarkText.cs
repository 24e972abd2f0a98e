using System.Text;
using System.Text.Json;
using CoGrpo.Model;

namespace CoGrpo.Rl.Benchmarks;

/// <summary>Reads the text files of benchmarks: bounded, strict UTF-8.</summary>
internal static class BenchmarkText
{
    /// <summary>The whole file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="what">What it should be, for messages.</param>
    /// <param name="mostBytes">A larger file is refused unread.</param>
    /// <exception cref="ModelException">It is missing, unreadable, too large or not UTF-8.</exception>
    public static string Read(string path, string what, long mostBytes = 256L << 20)
    {
        byte[] bytes;
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists)
            {
                throw new ModelException($"{path}: wanted {what}, there is no such file; check the path");
            }

            if (file.Length > mostBytes)
            {
                throw new ModelException(
                    $"{path}: wanted {what} of at most {mostBytes >> 20} MiB, got {file.Length >> 20} MiB; check that it is the right file"
                );
            }

            bytes = File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ModelException($"{path}: wanted {what}, got {error.Message.TrimEnd('.')}; check the path and its permissions");
        }

        try
        {
            return new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetString(bytes).TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException error)
        {
            int line = 1 + bytes.AsSpan(0, Math.Clamp(error.Index, 0, bytes.Length)).Count((byte)'\n');
            throw new ModelException($"{path}: wanted UTF-8 text, got other bytes in line {line}; fetch the file again, or save it as UTF-8");
        }
    }

    /// <summary>The value of a text member of a JSON object, or null where there is none or it is no valid text.</summary>
    public static string? Member(JsonElement json, string name)
    {
        try
        {
            return
                json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String
                ? value.GetString()
                : null;
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair.
            return null;
        }
    }
}
