namespace CoGrpo.CudaEmulator;

/// <summary>Reports of the launches in a context since the recording began. Disposing ends it.</summary>
public sealed class LaunchRecording : IDisposable
{
    private readonly EmulatedContext _context;
    private readonly List<LaunchReport> _launches = [];

    internal LaunchRecording(EmulatedContext context) => _context = context;

    /// <summary>The reports, in the order of execution. Runs what is queued first.</summary>
    public IReadOnlyList<LaunchReport> Launches
    {
        get
        {
            _context.Flush();
            return _launches;
        }
    }

    /// <summary>Ends the recording.</summary>
    public void Dispose() => _context.Remove(this);

    internal void Add(LaunchReport report) => _launches.Add(report);
}
