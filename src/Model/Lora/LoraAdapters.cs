using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Model.Lora;

/// <summary>The adapters of one network, all their weights in one store: what is trained while the network's own weights are frozen.</summary>
public sealed class LoraAdapters : IDisposable
{
    // Beside those of networks and schedule policy, which count from 0 and from 1 << 32.
    private const ulong FirstSubstream = 2UL << 32;

    private readonly IBackend _backend;

    /// <summary>
    /// Puts adapters of zero effect (all weights zero) on <paramref name="slots"/>, or such that share the weights of <paramref name="share"/>.
    /// </summary>
    /// <exception cref="ModelException">A shape names no slot.</exception>
    internal LoraAdapters(IReadOnlyList<LoraSlot> slots, IReadOnlyList<LoraShape> shapes, IBackend backend, LoraAdapters? share)
    {
        _backend = backend;
        Slots = slots;
        Shapes = shapes;
        Parameters = new ParameterStore(backend, backend.Storage);
        foreach (LoraShape shape in shapes)
        {
            LoraSlot slot = slots.FirstOrDefault(s => s.Module == shape.Module)
                ?? throw new ModelException($"LoRA: wanted a projection of this model, got {shape.Module}; use adapters made for it");
            slot.Adapter = new LoraAdapter(Parameters, slot, shape);
        }

        Parameters.Seal(share?.Parameters);
    }

    /// <summary>All projections of the network, with and without adapter.</summary>
    public IReadOnlyList<LoraSlot> Slots { get; }

    /// <summary>The adapters' sizes, in the order of the network.</summary>
    public IReadOnlyList<LoraShape> Shapes { get; }

    /// <summary>A and B of every adapter under the names <c>module.lora_A.weight</c> and <c>module.lora_B.weight</c>.</summary>
    public ParameterStore Parameters { get; }

    /// <summary>
    /// A uniform in ±1/√K (Kaiming with a = √5), B zero. Each A draws from a substream of its own, which does not depend on the choice of targets.
    /// </summary>
    public void Initialise(ulong seed)
    {
        _backend.Fill(Parameters.Values, 0);
        for (int i = 0; i < Slots.Count; i++)
        {
            if (Slots[i].Adapter is { } adapter)
            {
                var random = new RandomSequence(seed, RandomStream.Initialisation, FirstSubstream + (ulong)i);
                double bound = 1 / Math.Sqrt(Slots[i].Inputs);
                float[] values = new float[adapter.A.Shape.Count];
                foreach (ref float value in values.AsSpan())
                {
                    value = (float)(bound * ((2 * random.NextDouble()) - 1));
                }

                _backend.Upload<float>(values, adapter.A.Value);
            }
        }

        Parameters.RenewComputeCopy();
    }

    /// <summary>
    /// Adds every adapter to its weight, W += (α/r) B A in fp32, and sets B to zero: network and replicas compute what they did, up to rounding,
    /// and <paramref name="network"/>, the store of the weights, can be saved without adapters.
    /// </summary>
    public void Fold(ParameterStore network)
    {
        ArgumentNullException.ThrowIfNull(network);
        using Arena work = _backend.CreateArena("merge", 1 << 16);
        foreach (LoraSlot slot in Slots)
        {
            slot.Adapter?.Fold(_backend, work, slot.Weight);
        }

        network.RenewComputeCopy();
        Parameters.RenewComputeCopy();
    }

    /// <summary>Frees the weights; the network must not run afterwards.</summary>
    public void Dispose() => Parameters.Dispose();
}
