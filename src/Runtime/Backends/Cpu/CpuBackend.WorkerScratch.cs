namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <summary>
    /// Writes the scratch address of every worker, at least <paramref name="bytes"/> each, so that kernels behind a raw pointer need no team.
    /// </summary>
    private void WorkerScratch(nint* addresses, nuint bytes)
    {
        for (int worker = 0; worker < _team.Count; worker++)
        {
            addresses[worker] = (nint)_team.Scratch(worker, bytes);
        }
    }
}
