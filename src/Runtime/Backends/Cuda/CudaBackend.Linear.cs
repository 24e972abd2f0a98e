using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    // As in kernels/linearweight.cu.
    private const int LinearBiasRows = 64;

    /// <summary>Blocks of 128 x 128 that fill the largest device twice over.</summary>
    private const int WeightBlocks = 264;

    /// <summary>Tokens that are worth a part of their own, and the most that one chain of sums takes.</summary>
    private const int SmallestPart = 256;
    private const int LargestPart = 16384;

    private static readonly KernelName<LinearArguments> LinearDeepFloat = new("linear", "linear_f32");
    private static readonly KernelName<LinearArguments> LinearWideFloat = new("linearwide", "linearwide_f32");
    private static readonly KernelName<LinearArguments> LinearWeightFloat = new("linearweight", "linearweight_f32");
    private static readonly KernelName<LinearArguments> LinearAny = new("linear", "linear_any_bf16");
    private static readonly KernelName<LinearArguments> LinearFloatWide = new("linearwide", "linearwide_float_bf16");
    private static readonly KernelName<LinearArguments> LinearFloatWeight = new("linearweight", "linearweight_float_bf16");
    private static readonly StorageKernelName<LinearBiasArguments> LinearBias = new("linearweight", "linearweight_bias");

    private static readonly LinearTile[] LinearTiles = [LinearTile.Small, LinearTile.Medium, LinearTile.Large];

    // One per tile; there is no large one for the gradient of a weight, which has parts instead.
    private static readonly KernelName<LinearArguments>[] LinearDeep =
        [new("linear", "linear_small_bf16"), new("linear", "linear_medium_bf16"), new("linear", "linear_large_bf16")];

    private static readonly KernelName<LinearArguments>[] LinearWide =
        [new("linearwide", "linearwide_small_bf16"), new("linearwide", "linearwide_medium_bf16"), new("linearwide", "linearwide_large_bf16")];

    private static readonly KernelName<LinearArguments>[] LinearWeight =
    [
        new("linearweight", "linearweight_small_bf16"),
        new("linearweight", "linearweight_medium_bf16"),
    ];

    private int _multiprocessors;

    private int Multiprocessors =>
        _multiprocessors > 0 ? _multiprocessors : _multiprocessors = Device.Attribute(CudaDeviceAttribute.MultiprocessorCount);

    /// <summary>Null, or the tile that every product on tensor cores takes where its kernel has it: for tests and measurements.</summary>
    internal LinearTile? OnlyTile { get; set; }

    /// <inheritdoc cref="IBackend.Linear"/>
    public void Linear(
        Tensor x,
        Tensor weight,
        Tensor bias,
        Tensor y,
        WeightLayout layout = WeightLayout.OutIn,
        Activation activation = Activation.None,
        Tensor preActivation = default,
        Tensor residual = default,
        Tensor gate = default
    )
    {
        (int m, int k, int n) = (x.Rows, x.Columns, y.Columns);
        Require.Storage(x);
        ElementType storage = x.Type;
        RequireResult(y, m, -1, storage);
        RequireWeight(weight, n, k, layout, storage);
        Optional(bias, 1, n, storage, nameof(bias));
        Require.That(bias.IsNone || bias.IsContiguous, nameof(bias), bias, "adjacent elements");
        Optional(preActivation, m, n, storage, nameof(preActivation));
        Optional(residual, m, n, storage, nameof(residual));
        if (!gate.IsNone)
        {
            Require.Matrix(gate, -1, n, storage);
            Require.That(gate.Rows > 0 && m % gate.Rows == 0, nameof(gate), gate, $"a number of rows that divides {m}");
        }

        LinearArguments arguments = Product(x, true, weight, layout == WeightLayout.OutIn, y, m, n, k) with
        {
            Bias = bias.Address,
            PreActivation = preActivation.Address,
            PreActivationStride = preActivation.RowStride,
            Residual = residual.Address,
            ResidualStride = residual.RowStride,
            Gate = gate.Address,
            GateStride = gate.RowStride,
            Live = x.LiveRows,
            RowsPerGate = gate.IsNone ? 1 : Math.Max(1, m / gate.Rows),
            Activation = (int)activation,
            Vectors = Flag(
                HasVectors(y) && AbsentOrVectors(bias) && AbsentOrVectors(preActivation) && AbsentOrVectors(residual) && AbsentOrVectors(gate)
            ),
        };
        Multiply(in arguments, storage, x, weight);
    }

    /// <inheritdoc cref="IBackend.LinearBackwardInput"/>
    public void LinearBackwardInput(Tensor dy, Tensor weight, Tensor dx, WeightLayout layout, bool accumulate)
    {
        (int m, int n, int k) = (dy.Rows, dy.Columns, dx.Columns);
        Require.Storage(weight);
        ElementType storage = weight.Type;
        RequireResult(dy, -1, -1, storage);
        RequireResult(dx, m, -1, storage);
        RequireWeight(weight, n, k, layout, storage);
        LinearArguments arguments = Product(dy, true, weight, layout == WeightLayout.InOut, dx, m, k, n) with { Accumulate = Flag(accumulate) };
        Multiply(in arguments, storage, dy, weight);
    }

    /// <inheritdoc cref="IBackend.LinearBackwardWeight"/>
    public void LinearBackwardWeight(Tensor dy, Tensor x, Tensor dweight, Tensor dbias, WeightLayout layout)
    {
        (int m, int n, int k) = (dy.Rows, dy.Columns, x.Columns);
        Require.Storage(x);
        RequireResult(dy, m, -1, x.Type);
        Require.Matrix(x, m, -1, x.Type);
        if (!dweight.IsNone)
        {
            RequireWeight(dweight, n, k, layout, ElementType.Float32);
            (Tensor left, Tensor right) = layout == WeightLayout.OutIn ? (dy, x) : (x, dy);
            WeightGradient(left, right, dweight, x.Type);
        }

        if (!dbias.IsNone)
        {
            Require.Count(dbias, n);
            BiasGradient(dy, dbias);
        }
    }

    /// <summary>dweight += left^T right, in as many parts over the rows as the shape alone decides.</summary>
    private void WeightGradient(Tensor left, Tensor right, Tensor dweight, ElementType storage)
    {
        (int rows, int columns, int depth) = (left.Columns, right.Columns, left.Rows);
        if (depth == 0)
        {
            return;
        }

        LinearArguments arguments = Product(left, false, right, false, dweight, rows, columns, depth) with { Accumulate = 1 };
        if (TryCublas(in arguments, storage))
        {
            return;
        }

        (int parts, int partDepth) = WeightParts(rows, columns, depth);
        arguments = arguments with { PartDepth = partDepth };
        if (parts == 1)
        {
            LaunchProduct(in arguments, storage, left, right, 1);
            return;
        }

        nint partials = _workspace.Take(WeightGradientWorkspace(rows, columns, depth));
        arguments = arguments with { Y = partials, Accumulate = 0, PartStride = (long)rows * columns, Vectors = Flag(columns % 4 == 0) };
        LaunchProduct(in arguments, storage, left, right, parts);
        ColumnSum(partials, parts, new Tensor(dweight.Address, new Shape(1, checked(rows * columns)), dweight.Type));
    }

    /// <summary>Parts of a weight gradient and the tokens of each: enough blocks for any device, from the shape alone.</summary>
    private static (int Parts, int Depth) WeightParts(int rows, int columns, int depth)
    {
        long wanted = Math.Clamp(WeightBlocks / LinearTile.Medium.Count(rows, columns), 1, Blocks(depth, SmallestPart));
        int parts = (int)Math.Max(wanted, Blocks(depth, LargestPart));
        int partDepth = (int)(Blocks(Blocks(depth, parts), 32) * 32);
        return ((int)Blocks(depth, partDepth), partDepth);
    }

    private void BiasGradient(Tensor dy, Tensor dbias)
    {
        int blocks = (int)Blocks(dy.Rows, LinearBiasRows);
        if (blocks == 0)
        {
            return;
        }

        nint partials = _workspace.Take(BiasGradientWorkspace(dy));
        Launch(LinearBias[dy.Type], Dim3.Of(Blocks(dy.Columns, 32 * (16 / dy.Type.Size())), blocks), new Dim3(128),
            new LinearBiasArguments(dy.Address, partials, dy.RowStride, dy.Rows, dy.Columns, Flag(HasVectors(dy))));
        ColumnSum(partials, blocks, new Tensor(dbias.Address, new Shape(1, dy.Columns), dbias.Type));
    }

    /// <summary>The product of two operands without epilogue; deep operands have the summed dimension as their fastest.</summary>
    private static LinearArguments Product(Tensor a, bool aDeep, Tensor b, bool bDeep, Tensor y, int rows, int columns, int depth) => new()
    {
        A = a.Address, B = b.Address, Y = y.Address, AStride = a.RowStride, BStride = b.RowStride, YStride = y.RowStride,
        Rows = rows, Columns = columns, Depth = depth, PartDepth = depth, RowsPerGate = 1, YFloat = Flag(y.Type == ElementType.Float32),
        Vectors = Flag(HasVectors(y)), AVectors = Flag(HasVectors(a)), BVectors = Flag(HasVectors(b)),
        AFloat = Flag(a.Type == ElementType.Float32), BFloat = Flag(b.Type == ElementType.Float32), ADeep = Flag(aDeep), BDeep = Flag(bDeep),
    };

    private void Multiply(in LinearArguments arguments, ElementType storage, Tensor a, Tensor b)
    {
        if (!TryCublas(in arguments, storage))
        {
            LaunchProduct(in arguments, storage, a, b, 1);
        }
    }

    private void LaunchProduct(in LinearArguments arguments, ElementType storage, Tensor a, Tensor b, int parts)
    {
        if (arguments.Rows == 0 || arguments.Columns == 0)
        {
            return;
        }

        (LinearTile tile, KernelName<LinearArguments> kernel) = storage == ElementType.Float32
            ? (LinearTile.Simt, arguments.ADeep == 0 ? LinearWeightFloat : arguments.BDeep == 0 ? LinearWideFloat : LinearDeepFloat)
            : TensorCoreKernel(in arguments, a, b, parts);
        Launch(kernel, Dim3.Of(tile.Count(arguments.Rows, arguments.Columns), 1, parts), Dim3.Of(tile.Threads), in arguments, tile.SharedBytes);
    }

    private (LinearTile Tile, KernelName<LinearArguments> Kernel) TensorCoreKernel(in LinearArguments arguments, Tensor a, Tensor b, int parts)
    {
        bool runs = HasVectors(a) && HasVectors(b) && a.Columns % 8 == 0;
        if (!runs || arguments.BFloat != 0 || (arguments.AFloat != 0 && arguments.BDeep != 0))
        {
            return (LinearTile.Small, LinearAny);
        }

        if (arguments.AFloat != 0)
        {
            return (LinearTile.Float, arguments.ADeep == 0 ? LinearFloatWeight : LinearFloatWide);
        }

        KernelName<LinearArguments>[] kernels = arguments.ADeep == 0 ? LinearWeight : arguments.BDeep == 0 ? LinearWide : LinearDeep;
        int tile = FastestTile(in arguments, parts, kernels.Length);
        return (LinearTiles[tile], kernels[tile]);
    }

    /// <summary>Which of the first <paramref name="count"/> tiles makes so many results in the least time; the only one where tests say so.</summary>
    private int FastestTile(in LinearArguments arguments, int parts, int count)
    {
        if (OnlyTile is { } only && Array.IndexOf(LinearTiles, only) is var index and >= 0 && index < count)
        {
            return index;
        }

        int best = 0;
        for (int i = 1; i < count; i++)
        {
            if (
                LinearTiles[i].Time(arguments.Rows, arguments.Columns, parts, Multiprocessors)
                < LinearTiles[best].Time(arguments.Rows, arguments.Columns, parts, Multiprocessors)
            )
            {
                best = i;
            }
        }

        return best;
    }

    private static bool AbsentOrVectors(Tensor x) => x.IsNone || HasVectors(x);

    /// <summary>A tensor of the storage type, or of fp32 beside bf16 storage.</summary>
    private static void RequireResult(
        Tensor y,
        int rows,
        int columns,
        ElementType storage,
        [System.Runtime.CompilerServices.CallerArgumentExpression(nameof(y))] string name = ""
    ) => Require.Matrix(y, rows, columns, y.Type == ElementType.Float32 ? ElementType.Float32 : storage, name);

    private static void RequireWeight(Tensor weight, int outputs, int inputs, WeightLayout layout, ElementType type) =>
        Require.Contiguous(weight, layout == WeightLayout.OutIn ? outputs : inputs, layout == WeightLayout.OutIn ? inputs : outputs, type);

    private static void Optional(Tensor x, int rows, int columns, ElementType type, string name)
    {
        if (!x.IsNone)
        {
            Require.Matrix(x, rows, columns, type, name);
        }
    }

    // As in kernels/linear.cuh.

    /// <summary>
    /// Bytes that the gradient of a weight of <paramref name="rows"/> x <paramref name="columns"/> takes over <paramref name="depth"/> rows; 0 for a
    /// single part. This library's kernel.
    /// </summary>
    internal static long WeightGradientWorkspace(int rows, int columns, int depth)
    {
        int parts = depth == 0 ? 1 : WeightParts(rows, columns, depth).Parts;
        return parts == 1 ? 0 : (long)parts * rows * columns * sizeof(float);
    }

    /// <summary>Bytes that the gradient of a bias takes for partial results.</summary>
    internal static long BiasGradientWorkspace(Tensor dy) => Blocks(dy.Rows, LinearBiasRows) * dy.Columns * sizeof(float);

    private readonly record struct LinearArguments(
        nint A,
        nint B,
        nint Y,
        nint Bias,
        nint PreActivation,
        nint Residual,
        nint Gate,
        nint Live,
        long AStride,
        long BStride,
        long YStride,
        long PreActivationStride,
        long ResidualStride,
        long GateStride,
        long PartStride,
        int Rows,
        int Columns,
        int Depth,
        int PartDepth,
        int RowsPerGate,
        int Activation,
        int Accumulate,
        int YFloat,
        int Vectors,
        int AVectors,
        int BVectors,
        int AFloat,
        int BFloat,
        int ADeep,
        int BDeep
    );

    private readonly record struct LinearBiasArguments(nint Dy, nint Partials, long DyStride, int Rows, int Columns, int Vectors);
}
