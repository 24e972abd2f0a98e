namespace CoGrpo.Runtime.Files.Torch;

/// <summary>Elements of a storage in an order: element (i, j, ..) is at <see cref="Offset"/> + i s0 + j s1 + ...</summary>
internal sealed class TorchView
{
    private readonly long[] _strides;

    private TorchView(TorchStorage storage, long offset, long[] sizes, long[] strides, long count, long span)
    {
        (Storage, Offset, Sizes, _strides, Count, Span) = (storage, offset, sizes, strides, count, span);
        long expected = 1;
        IsContiguous = true;
        for (int i = sizes.Length - 1; i >= 0; i--)
        {
            IsContiguous &= sizes[i] == 1 || count == 0 || strides[i] == expected;
            expected *= Math.Max(1, sizes[i]);
        }
    }

    public TorchStorage Storage { get; }

    /// <summary>First element in the storage.</summary>
    public long Offset { get; }

    /// <summary>Sizes, slowest dimension first.</summary>
    public long[] Sizes { get; }

    /// <summary>Number of elements.</summary>
    public long Count { get; }

    /// <summary>Elements of the storage from <see cref="Offset"/> to the last one of the view.</summary>
    public long Span { get; }

    /// <summary>Whether the elements stand one after another in row-major order.</summary>
    public bool IsContiguous { get; }

    /// <summary>The view, or null where it leaves the storage, has negative numbers, or repeats elements, as expanded tensors do.</summary>
    public static TorchView? Create(TorchStorage storage, long offset, long[] sizes, long[] strides)
    {
        if (sizes.Length != strides.Length || offset < 0 || sizes.Any(n => n < 0) || strides.Any(n => n < 0))
        {
            return null;
        }

        try
        {
            long count = sizes.Aggregate(1L, (product, size) => checked(product * size));
            long span = count == 0 ? 0 : checked(1 + sizes.Zip(strides).Sum(d => checked((d.First - 1) * d.Second)));

            // An expanded tensor may claim any size for a few bytes; with elements of its own it has at most as many as the storage.
            return offset <= storage.Count && span <= storage.Count - offset && count <= storage.Count
                ? new TorchView(storage, offset, sizes, strides, count, span)
                : null;
        }
        catch (OverflowException)
        {
            return null;
        }
    }

    /// <summary>
    /// Writes the elements in row-major order; <paramref name="storage"/> holds <see cref="Span"/> elements from <see cref="Offset"/> on.
    /// </summary>
    public void Gather<T>(ReadOnlySpan<T> storage, Span<T> elements)
        where T : unmanaged
    {
        int last = Sizes.Length - 1;
        var place = new long[Sizes.Length];
        long from = 0;
        for (int to = 0; to < elements.Length;)
        {
            for (long i = 0; i < Sizes[last]; i++)
            {
                elements[to++] = storage[(int)(from + (i * _strides[last]))];
            }

            for (int d = last - 1; d >= 0; d--)
            {
                from += _strides[d];
                if (++place[d] < Sizes[d])
                {
                    break;
                }

                from -= Sizes[d] * _strides[d];
                place[d] = 0;
            }
        }
    }
}
