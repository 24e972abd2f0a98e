using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Backends.Cuda;
using CoGrpo.Runtime.Randomness;
using CoGrpo.Tests.Runtime.OperationTable;

namespace CoGrpo.Tests.Cuda;

/// <summary>
/// The head fused with the draw gives the bits of the two operations it replaces, wherever rows stand and however many of them the device counts.
/// </summary>
public sealed class HeadSampleTests(EmulatedBackend device) : IClassFixture<EmulatedBackend>
{
    private const int Images = 3;
    private const int Positions = 50;
    private const int Step = 4;

    // Sizes with and without 16-byte rows; one chunk of codes, and several of which the last is not whole.
    public static TheoryData<ElementType, int, int, bool, bool> Cases
    {
        get
        {
            TheoryData<ElementType, int, int, bool, bool> cases = [];
            foreach (ElementType storage in (ElementType[])[ElementType.Float32, ElementType.BFloat16])
            {
                cases.Add(storage, 72, 300, true, false);
                cases.Add(storage, 264, 128, true, true);
                cases.Add(storage, 64, 257, false, true);
                cases.Add(storage, 33, 130, true, true);
                cases.Add(storage, 17, 33, false, false);
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void IsLinearAndGuidedSample(ElementType storage, int width, int codes, bool guided, bool scattered) =>
        device.Use(
            EmulatedBackend.Sm80,
            storage,
            backend =>
            {
                const int Rows = Images * Positions;
                using Arena arena = backend.CreateArena("test", 1 << 20);
                Tensor conditional = Values(backend, arena, Rows, width, 1),
                    unconditional = Values(backend, arena, Rows, width, 2),
                    head = Values(backend, arena, codes, width, 3);
                Tensor c = arena.Allocate(new Shape(Rows, codes)),
                    u = arena.Allocate(new Shape(Rows, codes));
                backend.Linear(conditional, head, default, c);
                backend.Linear(unconditional, head, default, u);

        // Where rows are scattered, the list is of every third position backwards, and the device says that five of it are not to be drawn.
        int[] list = scattered ? [.. Enumerable.Range(0, Rows / 3).Select(i => Rows - 1 - (3 * i))] : [.. Enumerable.Range(0, Rows)];
        var rows = new GuidedRows
        {
            Rows = Put(backend, arena, list),
            Codes = Positions,
            Actions = arena.Allocate(new Shape(Images, 4), ElementType.Float64),
            Trajectories = Put(backend, arena, [7, 100, 3]),
            ConditionalAt = scattered ? Put(backend, arena, [.. Enumerable.Range(0, Rows).Select(i => (i * 7) % Rows)]) : default,
            UnconditionalAt = scattered ? Put(backend, arena, [.. Enumerable.Range(0, Rows).Select(i => Rows - 1 - i)]) : default,
            Tokens = Put(backend, arena, new int[Rows]),
            LogProb = arena.Allocate(new Shape(Rows)),
            Confidence = arena.Allocate(new Shape(Rows)),
        };
        rows = scattered ? rows with { Rows = rows.Rows.WithLiveRows(Put(backend, arena, [list.Length - 5])) } : rows;

        // r, τ_s, τ_r, s: temperature 1, and guidance 1, are taken apart by the kernels.
        backend.Upload<double>([0.5, 0.7, 1, 2.5, 0.5, 1, 1, 3, 0.5, 1.3, 1, 1], rows.Actions);
        Tensor key = arena.Allocate(new Shape(1), ElementType.Int64);
        backend.Upload<ulong>([Philox.Key(5, RandomStream.TokenSampling)], key);
        NoiseAddress noise = new(key, Step);
        int[][] wanted = Drawn(backend, rows, r => backend.GuidedSample(c, guided ? u : default, r, noise));
        int[][] got = Drawn(backend, rows, r => backend.HeadSample(conditional, guided ? unconditional : default, head, r, noise));
        Assert.Equal(scattered ? list.Length - 5 : Rows, wanted[1].Count(bits => bits != BitConverter.SingleToInt32Bits(1)));
        Assert.Equal(wanted[0], got[0]);
        Assert.Equal(wanted[1], got[1]);
        Assert.Equal(wanted[2], got[2]);
    });

    /// <summary>
    /// Tokens, and the bits of log-probabilities and confidences, those of 1, which no logarithm of a probability is, where nothing was drawn.
    /// </summary>
    private static int[][] Drawn(CudaBackend backend, GuidedRows rows, Action<GuidedRows> draw)
    {
        int count = (int)rows.Tokens.Shape.Count;
        backend.Upload<int>(new int[count], rows.Tokens);
        backend.Fill(rows.LogProb, 1);
        backend.Fill(rows.Confidence, 1);
        draw(rows);
        int[][] drawn = [new int[count], new int[count], new int[count]];
        backend.Download<int>(rows.Tokens, drawn[0]);
        backend.Download<int>(rows.LogProb, drawn[1]);
        backend.Download<int>(rows.Confidence, drawn[2]);
        return drawn;
    }

    private static Tensor Values(CudaBackend backend, Arena arena, int rows, int columns, int seed)
    {
        Random random = new(seed);
        Tensor tensor = arena.Allocate(new Shape(rows, columns), backend.Storage);
        double[] values = [.. Enumerable.Range(0, rows * columns).Select(_ => (random.NextDouble() - 0.5) * 2)];
        if (backend.Storage == ElementType.BFloat16)
        {
            backend.Upload<ushort>([.. values.Select(v => (ushort)ElementBits.Of(ElementType.BFloat16, v))], tensor);
        }
        else
        {
            backend.Upload<float>([.. values.Select(v => (float)v)], tensor);
        }

        return tensor;
    }

    private static Tensor Put(CudaBackend backend, Arena arena, int[] values)
    {
        Tensor tensor = arena.Allocate(new Shape(values.Length), ElementType.Int32);
        backend.Upload<int>(values, tensor);
        return tensor;
    }
}
