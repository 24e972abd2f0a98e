namespace CoGrpo.Rl.Prompts;

/// <summary>
/// A file for the library that reads Parquet, at whose end reading fails: the library asks a file that has ended for the rest of a page again and
/// again. The end may be set to that of the pages that were checked, so that nothing else is taken for a page.
/// </summary>
internal sealed class ParquetStream(string path) : FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read)
{
    /// <summary>Where reading ends, if the file is longer.</summary>
    public long End { get; set; } = long.MaxValue;

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Room(count));

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer) => base.Read(buffer[..Room(buffer.Length)]);

    /// <inheritdoc/>
    public override int ReadByte() => Room(1) == 1 ? base.ReadByte() : -1;

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        base.ReadAsync(buffer, offset, Room(count), cancellationToken);

    /// <inheritdoc/>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        base.ReadAsync(buffer[..Room(buffer.Length)], cancellationToken);

    private int Room(int count)
    {
        long left = Math.Min(End, Length) - Position;
        return left > 0 || count == 0 ? (int)Math.Min(count, left) : throw new EndOfStreamException("pages that hold less than they say");
    }
}
