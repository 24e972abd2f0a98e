using CoGrpo.Runtime.Cuda;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    /// <inheritdoc cref="IBackend.Record"/>
    public IRecording? Record(Action work)
    {
        ArgumentNullException.ThrowIfNull(work);
        _stream.BeginCapture();
        try
        {
            work();
        }
        catch
        {
            // What broke the recording matters more than how it ends.
            try
            {
                _stream.EndCapture().Dispose();
            }
            catch (CudaException)
            {
            }

            throw;
        }

        using CudaGraph graph = _stream.EndCapture();
        return new Recording(graph.Instantiate(), _stream);
    }

    /// <summary>A graph on the backend's stream.</summary>
    private sealed class Recording(CudaGraphExec graph, CudaStream stream) : IRecording
    {
        public void Launch() => graph.Launch(stream);

        public void Dispose()
        {
            // A launch that still runs needs it.
            stream.Drain();
            graph.Dispose();
        }
    }
}
