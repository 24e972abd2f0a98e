namespace CoGrpo.Runtime.Autograd;

/// <summary>One named weight of a network. Value and gradient are slices of a <see cref="ParameterStore"/>.</summary>
public sealed class Parameter
{
    internal Parameter(string name, Shape shape, long offset)
    {
        Name = name;
        Shape = shape;
        Offset = offset;
    }

    /// <summary>The published state-dict name.</summary>
    public string Name { get; }

    /// <summary>The published shape.</summary>
    public Shape Shape { get; }

    /// <summary>First element in the run of all parameters of the store.</summary>
    public long Offset { get; }

    /// <summary>The weight in fp32.</summary>
    public Tensor Value { get; internal set; }

    /// <summary>The weight as the network computes with it: <see cref="Value"/> itself, or its copy in bf16.</summary>
    public Tensor Compute { get; internal set; }

    /// <summary>Its gradient, accumulated by the tape; none while the store is frozen.</summary>
    public Tensor Gradient { get; internal set; }

    /// <summary>Whether AdamW decays it: tensors of rank 2 and more do, vectors do not (specs/grpo.md 6.7).</summary>
    public bool Decays => Shape.Rank > 1;
}
