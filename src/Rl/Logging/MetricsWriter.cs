using System.Buffers;
using System.Text.Json;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Rl.Logging;

/// <summary>
/// Appends to a run's <c>metrics.jsonl</c>: one JSON object a line, <c>iteration</c> first, then the metrics in the caller's order.
/// Every line is handed to the system before the call returns, so a killed process loses at most the line it was writing.
/// </summary>
public sealed class MetricsWriter : IDisposable
{
    private readonly FileStream _stream;
    private readonly ArrayBufferWriter<byte> _line = new();

    /// <summary>
    /// Opens or creates the file. Lines of iterations after <paramref name="lastIteration"/>, and whatever follows the first line that
    /// is not a whole metrics line (a process was killed while writing it), are removed in one step: the resumed run writes them again.
    /// Pass less than 0 for a run from its beginning: 0 stands for what was before the first iteration.
    /// </summary>
    /// <exception cref="IOException">The file cannot be opened or rewritten.</exception>
    public MetricsWriter(string path, long lastIteration)
    {
        if (File.Exists(path))
        {
            Truncate(path, lastIteration);
        }

        _stream = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read);
    }

    /// <summary>Appends one line. Numbers are written so that reading gives the same bits; infinities and NaN, which JSON lacks, as null.</summary>
    /// <exception cref="IOException">The disk is full or another error of the file system.</exception>
    public void Write(long iteration, IEnumerable<KeyValuePair<string, double>> metrics)
    {
        _line.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(_line))
        {
            json.WriteStartObject();
            json.WriteNumber("iteration", iteration);
            foreach ((string name, double value) in metrics)
            {
                if (double.IsFinite(value))
                {
                    json.WriteNumber(name, value);
                }
                else
                {
                    json.WriteNull(name);
                }
            }

            json.WriteEndObject();
        }

        _line.Write("\n"u8);
        _stream.Write(_line.WrittenSpan);
        _stream.Flush();
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _stream.Dispose();

    private static void Truncate(string path, long lastIteration)
    {
        byte[] old = File.ReadAllBytes(path);
        int kept = 0;
        for (int end; (end = Array.IndexOf(old, (byte)'\n', kept)) >= 0; kept = end + 1)
        {
            if (Iteration(old.AsMemory(kept, end - kept)) is not long iteration || iteration > lastIteration)
            {
                break;
            }
        }

        if (kept < old.Length)
        {
            AtomicFile.WriteAllBytes(path, old.AsMemory(0, kept));
        }
    }

    private static long? Iteration(ReadOnlyMemory<byte> line)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            return document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("iteration", out JsonElement value)
                && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long iteration) ? iteration : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
