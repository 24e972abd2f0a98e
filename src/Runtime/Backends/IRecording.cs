namespace CoGrpo.Runtime.Backends;

/// <summary>Work that a device has recorded and can run again, with the same addresses, in one call.</summary>
public interface IRecording : IDisposable
{
    /// <summary>Queues the recorded work once more.</summary>
    void Launch();
}
