using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Runtime.Backends.Cuda;
using CoGrpo.Runtime.Backends.Plan;
using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Runtime.Backends;

/// <summary>
/// Where a run computes: the backend of its networks, and how many replicas work at once on what backends. On the CPU replicas have threads of
/// their own and share the weights' memory; a GPU is filled by one, which uses the networks' backend itself.
/// </summary>
public sealed class ComputeDevice : IDisposable
{
    private readonly Func<int, IBackend> _lane;
    private readonly bool _replicates;

    private ComputeDevice(IBackend backend, Func<int, IBackend> lane, bool replicates) => (Backend, _lane, _replicates) = (backend, lane, replicates);

    /// <summary>The backend of the networks; owned by this object.</summary>
    public IBackend Backend { get; }

    /// <summary>The CPU.</summary>
    public static ComputeDevice Cpu() => new(new CpuBackend(1), threads => new CpuBackend(threads), replicates: true);

    /// <summary>A GPU.</summary>
    /// <exception cref="CudaException">There is no such device, or it lacks what the options ask for; or there are no kernels for it.</exception>
    public static ComputeDevice Cuda(CudaDriver driver, CudaBackendOptions options, int ordinal = 0, KernelCompiler? compiler = null)
    {
        var backend = new CudaBackend(new CudaDevice(driver, ordinal), options, compiler);
        return new ComputeDevice(backend, _ => backend, replicates: false);
    }

    /// <summary>
    /// A device that executes nothing and counts what a GPU, or with <paramref name="replicates"/> the CPU, would do; see <see cref="PlanBackend"/>.
    /// </summary>
    /// <param name="storage">Element type of activations on that device.</param>
    /// <param name="replicates">Whether replicas have backends of their own.</param>
    /// <param name="decoding">How sampling decodes.</param>
    public static ComputeDevice Plan(ElementType storage, bool replicates, HandMadeSettings decoding)
    {
        PlanBackend backend = New();
        return new ComputeDevice(backend, _ => replicates ? New() : backend, replicates);

        PlanBackend New() => new(storage) { Decoding = decoding };
    }

    /// <summary>Replicas that work at once when a run asks for <paramref name="wanted"/>.</summary>
    public int Lanes(int wanted) => _replicates ? wanted : 1;

    /// <summary>The backend of a replica with <paramref name="threads"/> CPU threads: one of its own, or <see cref="Backend"/> itself.</summary>
    public IBackend LaneBackend(int threads) => _lane(threads);

    /// <summary>Closes the backend; arenas, networks and replicas on it must be disposed before.</summary>
    public void Dispose() => Backend.Dispose();
}
