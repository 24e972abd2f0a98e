namespace CoGrpo.Runtime.Backends;

/// <summary>Work that a device has recorded and can run again, with the same addresses, in one call.</summary>
public interface IRecording : IDisposable
{
    /// <summary>Version of something whose work involves the host (it uploads or downloads), and can therefore not be recorded.</summary>
    const int Never = -1;

    /// <summary>Queues the recorded work once more.</summary>
    void Launch();
}
