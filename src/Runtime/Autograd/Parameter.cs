namespace CoGrpo.Runtime.Autograd;

/// <summary>One named weight of a network. Value and gradient are slices of a <see cref="ParameterStore"/>.</summary>
public sealed class Parameter
{
    internal Parameter(string name, Shape shape, long offset, ParameterLayout layout)
    {
        Name = name;
        Shape = shape;
        Offset = offset;
        Layout = layout;
    }

    /// <summary>The published state-dict name.</summary>
    public string Name { get; }

    /// <summary>The published shape.</summary>
    public Shape Shape { get; }

    /// <summary>How the elements lie in memory.</summary>
    public ParameterLayout Layout { get; }

    /// <summary>The shape in memory: that of <see cref="Value"/> and everything laid out like it.</summary>
    public Shape StoredShape => Layout == ParameterLayout.ChannelsLast ? new Shape(Shape[0], Shape[2], Shape[3], Shape[1]) : Shape;

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

    /// <summary>Values in the order of the published shape as they lie in memory: the same span, or a copy in another order.</summary>
    public ReadOnlySpan<float> ToStored(ReadOnlySpan<float> published)
    {
        if (Layout == ParameterLayout.Published)
        {
            return published;
        }

        float[] stored = new float[published.Length];
        Transpose(published, stored, Shape[1], Shape[2] * Shape[3]);
        return stored;
    }

    /// <summary>The inverse of <see cref="ToStored"/>.</summary>
    public ReadOnlySpan<float> ToPublished(ReadOnlySpan<float> stored)
    {
        if (Layout == ParameterLayout.Published)
        {
            return stored;
        }

        float[] published = new float[stored.Length];
        Transpose(stored, published, Shape[2] * Shape[3], Shape[1]);
        return published;
    }

    /// <summary>Transposes every matrix of <paramref name="rows"/> by <paramref name="columns"/> elements.</summary>
    private static void Transpose(ReadOnlySpan<float> from, Span<float> to, int rows, int columns)
    {
        int size = rows * columns;
        for (int first = 0; first < from.Length; first += size)
        {
            ReadOnlySpan<float> source = from.Slice(first, size);
            Span<float> target = to.Slice(first, size);
            for (int row = 0; row < rows; row++)
            {
                for (int column = 0; column < columns; column++)
                {
                    target[(column * rows) + row] = source[(row * columns) + column];
                }
            }
        }
    }
}
