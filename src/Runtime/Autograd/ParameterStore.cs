using CoGrpo.Runtime.Backends;

namespace CoGrpo.Runtime.Autograd;

/// <summary>
/// All weights of one network as one contiguous run per kind (values, gradients), so that optimizer, norm, average and copy are one
/// operation each. Networks declare their parameters while they are constructed; <see cref="Seal"/> then places them. Values and gradients
/// are fp32; where the network computes in bf16 a copy in bf16 goes with them, which everything that writes values renews.
/// </summary>
public sealed class ParameterStore : IDisposable
{
    // Slices start at multiples of 64 elements, so that every tensor is aligned for the widest vector loads.
    private const long AlignmentElements = 64;

    private readonly IBackend _backend;
    private readonly List<Parameter> _parameters = [];
    private readonly Dictionary<string, Parameter> _byName = new(StringComparer.Ordinal);
    private readonly Arena _values;
    private readonly Arena _gradients;
    private long _count;

    /// <summary>
    /// An empty store on <paramref name="backend"/> for a network that computes in <paramref name="storage"/>. Memory reports list it under the name
    /// of <paramref name="network"/>, if it has one.
    /// </summary>
    public ParameterStore(IBackend backend, ElementType storage, string network = "")
    {
        _backend = backend;
        Storage = storage;
        _values = backend.CreateArena($"{network} parameters".TrimStart(), 1 << 20);
        _gradients = backend.CreateArena($"{network} gradients".TrimStart(), 1 << 20);
    }

    /// <summary>Element type the network computes in.</summary>
    public ElementType Storage { get; }

    /// <summary>Parameters in order of declaration.</summary>
    public IReadOnlyList<Parameter> Parameters => _parameters;

    /// <summary>All values as one run [n], gaps between parameters are zero.</summary>
    public Tensor Values { get; private set; }

    /// <summary>
    /// All values in the type the network computes in, as one run [n]; none where that is fp32 and networks read <see cref="Values"/> themselves.
    /// </summary>
    public Tensor ComputeCopy { get; private set; }

    /// <summary>All gradients as one run [n]; none until <see cref="EnableGradients"/>.</summary>
    public Tensor Gradients { get; private set; }

    /// <summary>Number of weights, gaps not counted.</summary>
    public long ParameterCount => _parameters.Sum(p => p.Shape.Count);

    /// <summary>Declares a parameter of a published name and shape. Names are unique.</summary>
    /// <exception cref="InvalidOperationException">The store is sealed or the name is taken.</exception>
    public Parameter Declare(string name, Shape shape, ParameterLayout layout = ParameterLayout.Published)
    {
        if (!Values.IsNone || _byName.ContainsKey(name))
        {
            throw new InvalidOperationException(
                $"parameter {name}: the store is sealed or has one of that name; declare each once while the network is made"
            );
        }

        var parameter = new Parameter(name, shape, _count, layout);
        _count += (shape.Count + AlignmentElements - 1) / AlignmentElements * AlignmentElements;
        _parameters.Add(parameter);
        _byName.Add(name, parameter);
        return parameter;
    }

    /// <summary>Allocates the values (zero) once every parameter is declared, or shares those of <paramref name="source"/>.</summary>
    public void Seal(ParameterStore? source = null)
    {
        if (source is not null)
        {
            Share(source);
            return;
        }

        Values = _values.Allocate(new Shape(checked((int)_count)));
        _backend.Fill(Values, 0);
        if (Storage != ElementType.Float32)
        {
            ComputeCopy = _values.Allocate(Values.Shape, Storage);
            _backend.Fill(ComputeCopy, 0);
        }

        SliceValues();
    }

    /// <summary>
    /// Makes the copy that the network computes with from the values; whoever writes values by other means than this store or the optimizer calls it.
    /// </summary>
    public void RenewComputeCopy()
    {
        if (!ComputeCopy.IsNone)
        {
            _backend.Copy(Values, ComputeCopy);
        }
    }

    /// <summary>Replaces all values by those of a run of the same layout on the same device.</summary>
    public void CopyValues(Tensor run)
    {
        _backend.Copy(run, Values);
        RenewComputeCopy();
    }

    /// <summary>For each block of <paramref name="block"/> elements of the run whether its parameter decays (1) or not (0).</summary>
    internal byte[] DecayBlocks(int block)
    {
        byte[] decays = new byte[(_count + block - 1) / block];
        foreach (Parameter parameter in _parameters)
        {
            long first = parameter.Offset / block;
            long last = (parameter.Offset + Math.Max(1, parameter.Shape.Count) - 1) / block;
            decays.AsSpan((int)first, (int)(last - first + 1)).Fill(parameter.Decays ? (byte)1 : (byte)0);
        }

        return decays;
    }

    /// <summary>
    /// Takes the values of <paramref name="source"/>, a store with the same declarations in the same address
    /// space, instead of memory of its own. Gradients stay separate, so that replicas can compute at once. The source must outlive this store.
    /// </summary>
    /// <exception cref="InvalidOperationException">The declarations differ.</exception>
    private void Share(ParameterStore source)
    {
        if (
            source._count != _count
            || source.Storage != Storage
            || !source._parameters.Select(p => p.Name).SequenceEqual(_parameters.Select(p => p.Name))
        )
        {
            throw new InvalidOperationException(
                "replica: wanted a store with the same parameters, got another network; make both from one configuration"
            );
        }

        Values = source.Values;
        ComputeCopy = source.ComputeCopy;
        SliceValues();
    }

    private void SliceValues()
    {
        foreach (Parameter parameter in _parameters)
        {
            parameter.Value = Slice(Values, parameter);
            parameter.Compute = ComputeCopy.IsNone ? parameter.Value : Slice(ComputeCopy, parameter);
        }
    }

    /// <summary>Allocates gradients (zero); from here on the tape accumulates into them.</summary>
    public void EnableGradients()
    {
        if (!Gradients.IsNone)
        {
            return;
        }

        Gradients = _gradients.Allocate(Values.Shape);
        ZeroGradients();
        foreach (Parameter parameter in _parameters)
        {
            parameter.Gradient = Slice(Gradients, parameter);
        }
    }

    /// <summary>Sets all gradients to zero.</summary>
    public void ZeroGradients() => _backend.Fill(Gradients, 0);

    /// <summary>
    /// The slice of a run of the same layout as <see cref="Values"/> (moments, averages) that belongs to <paramref name="parameter"/>.
    /// </summary>
    public Tensor Slice(Tensor run, Parameter parameter) =>
        new(run.Address + ((nint)parameter.Offset * run.Type.Size()), parameter.StoredShape, run.Type);

    /// <summary>The parameter called <paramref name="name"/>, or null.</summary>
    public Parameter? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>Frees values and gradients.</summary>
    public void Dispose()
    {
        _values.Dispose();
        _gradients.Dispose();
    }
}
