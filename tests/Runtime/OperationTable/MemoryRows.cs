using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Tests.Runtime.OperationTable;

/// <summary>Values that go through the host: Download and Upload.</summary>
internal sealed class RoundTripRow : OperationRow
{
    private readonly int _columns;

    public RoundTripRow(string operation, int images, int columns)
        : base(operation, images, $"{columns}")
    {
        _columns = columns;
        In("x", new Shape(images, columns));
        Out("y", new Shape(images, columns));
    }

    public override OperationRow With(int images) => new RoundTripRow(Operation, images, _columns);

    public override void Run(IBackend backend, Tensor[] t)
    {
        if (t[0].Type == ElementType.BFloat16)
        {
            RoundTrip<ushort>(backend, t);
        }
        else
        {
            RoundTrip<float>(backend, t);
        }
    }

    public override void Reference<T>(Operands<T> v) => v[0].CopyTo(v[1], 0);

    private static void RoundTrip<T>(IBackend backend, Tensor[] t)
        where T : unmanaged
    {
        T[] host = new T[t[0].Shape.Count];
        backend.Download<T>(t[0], host);
        backend.Upload<T>(host, t[1]);
    }
}

internal sealed class FillRow : OperationRow
{
    private const float Value = -1.25f;
    private readonly int _columns;

    public FillRow(int images, int columns)
        : base(nameof(IBackend.Fill), images, $"{columns}")
    {
        _columns = columns;
        Out("x", new Shape(images, columns), padding: Padding(columns, 4));
    }

    public override OperationRow With(int images) => new FillRow(images, _columns);

    public override void Run(IBackend backend, Tensor[] t) => backend.Fill(t[0], Value);

    public override void Reference<T>(Operands<T> v) => Array.Fill(v[0], Of<T>(Value));
}

/// <summary>Copy from one stride to another, and from fp32 (wide) to the storage type or back.</summary>
internal sealed class CopyRow : OperationRow
{
    private readonly (int Columns, int From, int To, bool FromWide, bool ToWide) _size;

    public CopyRow(int images, int columns, int paddingFrom, int paddingTo, bool fromWide = false, bool toWide = false)
        : base(nameof(IBackend.Copy), images, $"{columns} strides +{paddingFrom}{(fromWide ? " wide" : "")} to +{paddingTo}{(toWide ? " wide" : "")}")
    {
        _size = (columns, paddingFrom, paddingTo, fromWide, toWide);
        In("x", new Shape(images, columns), paddingFrom, wide: fromWide);
        Out("y", new Shape(images, columns), paddingTo, wide: toWide);
    }

    public override OperationRow With(int images) => new CopyRow(images, _size.Columns, _size.From, _size.To, _size.FromWide, _size.ToWide);

    public override void Run(IBackend backend, Tensor[] t) => backend.Copy(t[0], t[1]);

    public override void Reference<T>(Operands<T> v) => v[0].CopyTo(v[1], 0);
}

internal sealed class AddRow : OperationRow
{
    private readonly (int Columns, bool Second, bool Accumulate) _size;

    public AddRow(int images, int columns, bool second, bool accumulate)
        : base(nameof(IBackend.Add), images, $"{columns}{(second ? "" : " without b")}{(accumulate ? " accumulate" : "")}")
    {
        _size = (columns, second, accumulate);
        int padding = Padding(columns, 3);
        In("a", new Shape(images, columns), padding);
        In("b", new Shape(images, columns), padding);
        Result("y", new Shape(images, columns), accumulate, padding);
    }

    public override (int Input, int Output)[] Aliases => _size.Accumulate ? [] : _size.Second ? [(0, 2), (1, 2)] : [(0, 2)];

    public override OperationRow With(int images) => new AddRow(images, _size.Columns, _size.Second, _size.Accumulate);

    public override void Run(IBackend backend, Tensor[] t) => backend.Add(t[0], _size.Second ? t[1] : default, t[2], _size.Accumulate);

    public override void Reference<T>(Operands<T> v)
    {
        for (int i = 0; i < v[2].Length; i++)
        {
            T sum = _size.Second ? v[0][i] + v[1][i] : v[0][i];
            v[2][i] = _size.Accumulate ? v[2][i] + sum : sum;
        }
    }
}

internal sealed class ScaleRow : OperationRow
{
    private const float Multiplier = 0.3f;
    private readonly int _columns;

    public ScaleRow(int images, int columns)
        : base(nameof(IBackend.Scale), images, $"{columns}")
    {
        _columns = columns;
        In("x", new Shape(images, columns));
        Out("y", new Shape(images, columns));
    }

    public override (int Input, int Output)[] Aliases => [(0, 1)];

    public override OperationRow With(int images) => new ScaleRow(images, _columns);

    public override void Run(IBackend backend, Tensor[] t) => backend.Scale(t[0], Multiplier, t[1]);

    public override void Reference<T>(Operands<T> v)
    {
        for (int i = 0; i < v[1].Length; i++)
        {
            v[1][i] = Of<T>(Multiplier) * v[0][i];
        }
    }
}
