using System.Text.Json;

namespace CoGrpo.Model;

/// <summary>A published <c>config.json</c> read into its record; keys that the record does not know are left out.</summary>
internal static class ConfigFile
{
    // Published ones have under two kilobytes; a file of another kind is not read to its end.
    private const int MostBytes = 1 << 20;

    private static readonly JsonSerializerOptions Json = new() { ReadCommentHandling = JsonCommentHandling.Skip };

    /// <summary>Reads the file; <paramref name="folder"/> says in the message what kind of folder it belongs to.</summary>
    /// <exception cref="ModelException">The file is missing, too large or not an object of the published keys.</exception>
    public static T Read<T>(string path, string folder)
        where T : class
    {
        byte[] bytes;
        try
        {
            using FileStream file = File.OpenRead(path);
            if (file.Length > MostBytes)
            {
                throw new ModelException(
                    $"{path}: wanted a configuration of at most {MostBytes} bytes, got {file.Length}; restore the file from the model's source"
                );
            }

            bytes = new byte[file.Length];
            file.ReadExactly(bytes);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ModelException($"{path}: wanted {folder}, the file is missing; give the folder that holds it");
        }

        try
        {
            return JsonSerializer.Deserialize<T>(bytes, Json)
                ?? throw new ModelException($"{path}: wanted a JSON object, got null; restore the file from the model's source");
        }
        catch (JsonException error)
        {
            throw new ModelException($"{path}: wanted a JSON object of published keys, got an error at line {error.LineNumber + 1}: {error.Message}; restore the file from the model's source");
        }
    }
}
