namespace CoGrpo.Runtime.Files.Torch;

/// <summary>
/// Reads bytes of a seekable stream, which it owns, at given places. Safe to use from several threads. Failures are
/// <see cref="TorchArchiveException"/>.
/// </summary>
internal sealed class RandomReader : IDisposable
{
    private readonly Stream _stream;
    private readonly Lock _lock = new();

    /// <summary>Over <paramref name="stream"/>; <paramref name="name"/> is for messages.</summary>
    public RandomReader(Stream stream, string name)
    {
        (_stream, Name) = (stream, name);
        try
        {
            Length = stream.Length;
        }
        catch (Exception e) when (e is IOException or NotSupportedException)
        {
            throw Failure("length", e);
        }
    }

    /// <summary>The file's name.</summary>
    public string Name { get; }

    /// <summary>Bytes of the file when it was opened.</summary>
    public long Length { get; }

    /// <summary>Fills <paramref name="destination"/> from byte <paramref name="offset"/> on; <paramref name="what"/> is for messages.</summary>
    public void Read(long offset, Span<byte> destination, string what)
    {
        try
        {
            lock (_lock)
            {
                _stream.Position = offset;
                _stream.ReadExactly(destination);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failure(what, e);
        }
    }

    /// <summary>
    /// As <see cref="Read"/>, into a new array; the caller has compared <paramref name="count"/> with a limit or the file's length.
    /// </summary>
    public byte[] Bytes(long offset, int count, string what)
    {
        var bytes = new byte[count];
        Read(offset, bytes, what);
        return bytes;
    }

    /// <summary>Closes the stream.</summary>
    public void Dispose() => _stream.Dispose();

    private TorchArchiveException Failure(string what, Exception e) =>
        new(
            Name,
            what,
            "readable bytes",
            e.Message,
            "check that the file is complete, the disk sound, and that nothing rewrites the file meanwhile",
            e
        );
}
