namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.Record"/>
    /// <remarks>Calls cost nothing here, so nothing is recorded.</remarks>
    public IRecording? Record(Action work) => null;
}
