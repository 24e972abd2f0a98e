namespace CoGrpo.Runtime.Files;

/// <summary>Tensors that are read by name and in pieces: those of one file or of several. Nothing is in memory but what is being read.</summary>
public interface ITensorSource : IDisposable
{
    /// <summary>The tensors by name.</summary>
    IReadOnlyDictionary<string, SafetensorsTensor> Tensors { get; }

    /// <summary>Notes on the file as a whole; empty where it has none.</summary>
    IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>
    /// Reads the tensor's little-endian bytes in row-major order from <paramref name="offset"/> on, as many as the destination holds.
    /// </summary>
    /// <exception cref="WeightsFileException">No such tensor, the range leaves it, or a read error.</exception>
    void ReadBytes(string name, long offset, Span<byte> destination);

    /// <summary>Reads all data once and compares them with the checksums in the files; does nothing where the format has none.</summary>
    /// <exception cref="WeightsFileException">Data are damaged or cannot be read.</exception>
    void CheckData()
    {
    }
}
