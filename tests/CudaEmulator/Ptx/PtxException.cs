namespace CoGrpo.CudaEmulator.Ptx;

/// <summary>PTX text that is no PTX, or uses a form of it that the emulator does not read.</summary>
internal sealed class PtxException(int line, string message) : Exception($"PTX line {line}: {message}")
{
    public int Line { get; } = line;
}
