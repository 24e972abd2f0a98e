using System.Numerics;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Randomness;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Tests.Runtime.OperationTable;

/// <summary>Lists that a row's call needs beside its operands, for as long as the call lasts.</summary>
internal sealed class CallMemory(IBackend backend) : IDisposable
{
    private readonly Arena _arena = backend.CreateArena("call", 1 << 12);

    /// <summary>Int32 [count]: 0, 1, 2 ...</summary>
    public Tensor Count(int count) => Put([.. Enumerable.Range(0, count)]);

    public Tensor Put(int[] values)
    {
        Tensor tensor = _arena.Allocate(new Shape(values.Length), ElementType.Int32);
        backend.Upload<int>(values, tensor);
        return tensor;
    }

    public NoiseAddress Noise(ulong key, int step)
    {
        Tensor tensor = _arena.Allocate(new Shape(1), ElementType.Int64);
        backend.Upload<ulong>([key], tensor);
        return new NoiseAddress(tensor, step);
    }

    public void Dispose() => _arena.Dispose();
}

/// <summary>Draw from given logits: images of N positions, all of them drawn; image 2 has guidance 1.</summary>
internal sealed class GuidedSampleRow : OperationRow
{
    private const int Step = 3;
    private static readonly ulong Key = Philox.Key(77, RandomStream.TokenSampling);
    private readonly (int N, int Codes, bool Guided) _size;

    public GuidedSampleRow(int images, int n, int codes, bool guided)
        : base(nameof(IBackend.GuidedSample), images, $"{n} positions, {codes} codes{(guided ? " guided" : "")}", wide: true)
    {
        _size = (n, codes, guided);
        In("conditional", new Shape(images * n, codes), codes % 4, draw: (r, i) => 2 * Normal(r, i));
        In("unconditional", new Shape(images * n, codes), codes % 3, draw: (r, i) => 2 * Normal(r, i));
        Doubles("actions", new Shape(images, 4), SampleFormula.Action);
        Integers("trajectories", new Shape(images), (_, i) => 100 + (3 * i));
        Integers("tokens", new Shape(images, n), (_, _) => -1, role: Role.Out);
        Out("logProb", new Shape(images, n));
        Out("confidence", new Shape(images, n));
    }

    public override OperationRow With(int images) => new GuidedSampleRow(images, _size.N, _size.Codes, _size.Guided);

    public override void Run(IBackend backend, Tensor[] t)
    {
        using CallMemory call = new(backend);
        backend.GuidedSample(t[0], _size.Guided ? t[1] : default, SampleFormula.Rows(call, t, 2, Images, _size.N), call.Noise(Key, Step));
    }

    public override void Reference<T>(Operands<T> v) =>
        SampleFormula.Draw(v, 2, v[0], _size.Guided ? v[1] : null, Images, _size.N, _size.Codes, Key, Step);
}

/// <summary>The same from what the head reads.</summary>
internal sealed class HeadSampleRow : OperationRow
{
    private const int Step = 5;
    private static readonly ulong Key = Philox.Key(79, RandomStream.TokenSampling);
    private readonly (int N, int K, int Codes, bool Guided) _size;

    public HeadSampleRow(int images, int n, int k, int codes, bool guided)
        : base(nameof(IBackend.HeadSample), images, $"{n} positions, {k} channels, {codes} codes{(guided ? " guided" : "")}")
    {
        _size = (n, k, codes, guided);
        In("conditional", new Shape(images * n, k), k % 4);
        In("unconditional", new Shape(images * n, k), k % 3);
        In("head", new Shape(codes, k), shared: true, draw: (r, i) => 2 * Normal(r, i) / Math.Sqrt(k));
        Doubles("actions", new Shape(images, 4), SampleFormula.Action);
        Integers("trajectories", new Shape(images), (_, i) => 100 + (3 * i));
        Integers("tokens", new Shape(images, n), (_, _) => -1, role: Role.Out);
        Out("logProb", new Shape(images, n), wide: true);
        Out("confidence", new Shape(images, n), wide: true);
    }

    public override OperationRow With(int images) => new HeadSampleRow(images, _size.N, _size.K, _size.Codes, _size.Guided);

    public override void Run(IBackend backend, Tensor[] t)
    {
        using CallMemory call = new(backend);
        backend.HeadSample(t[0], _size.Guided ? t[1] : default, t[2], SampleFormula.Rows(call, t, 3, Images, _size.N), call.Noise(Key, Step));
    }

    public override void Reference<T>(Operands<T> v) =>
        SampleFormula.Draw(v, 3, Logits(v[0], v[2]), _size.Guided ? Logits(v[1], v[2]) : null, Images, _size.N, _size.Codes, Key, Step);

    private T[] Logits<T>(T[] hidden, T[] head)
        where T : struct, IFloatingPointIeee754<T>
    {
        T[] logits = new T[Images * _size.N * _size.Codes];
        for (int i = 0; i < logits.Length; i++)
        {
            T sum = T.Zero;
            for (int k = 0; k < _size.K; k++)
            {
                sum += hidden[(i / _size.Codes * _size.K) + k] * head[(i % _size.Codes * _size.K) + k];
            }

            logits[i] = sum;
        }

        return logits;
    }
}

/// <summary>What both draws share: operands actions, trajectories, tokens, logProb, confidence from number <c>at</c> on.</summary>
internal static class SampleFormula
{
    public static double Action(Random random, int index) => (index % 4) switch
    {
        0 => 0.5,
        1 => 0.5 + random.NextDouble(),
        2 => 1,
        _ => index / 4 == 2 ? 1 : 1 + (2 * random.NextDouble()),
    };

    public static GuidedRows Rows(CallMemory call, Tensor[] t, int at, int images, int n) => new()
    {
        Rows = call.Count(images * n),
        Codes = n,
        Actions = t[at],
        Trajectories = t[at + 1],
        Tokens = t[at + 2],
        LogProb = t[at + 3],
        Confidence = t[at + 4],
    };

    public static void Draw<T>(Operands<T> v, int at, T[] conditional, T[]? unconditional, int images, int n, int codes, ulong key, int step)
        where T : struct, IFloatingPointIeee754<T>
    {
        for (int r = 0; r < images * n; r++)
        {
            int image = r / n;
            (T temperature, T guidance) = (v[at][(4 * image) + 1], v[at][(4 * image) + 3]);
            T[] z = GuidedFormula.Logits(conditional, unconditional, guidance, temperature, r, codes);
            (int token, T best) = (0, T.NegativeInfinity);
            for (int i = 0; i < codes; i++)
            {
                T score = z[i] + GuidedFormula.Gumbel<T>(key, step, i, (uint)(r % n), v.Integers(at + 1)[image]);
                (token, best) = score > best ? (i, score) : (token, best);
            }

            T[] cold = GuidedFormula.Logits(conditional, unconditional, guidance, T.One, r, codes);
            v.Integers(at + 2)[r] = token;
            v[at + 3][r] = z[token] - GuidedFormula.LogSumExp(z);
            v[at + 4][r] = cold[token] - GuidedFormula.LogSumExp(cold);
        }
    }
}

internal sealed class RemaskRow : OperationRow
{
    private const int Mask = 500;
    private const int Step = 5;
    private const int Steps = 9;
    private static readonly ulong Key = Philox.Key(78, RandomStream.Remask);
    private readonly (int N, double Temperature) _size;

    public RemaskRow(int images, int n, double temperature)
        : base(nameof(IBackend.Remask), images, $"{n} positions, temperature {temperature}", wide: true)
    {
        _size = (n, temperature);
        Integers("canvas", new Shape(images, n), (r, _) => r.NextDouble() < 0.7 ? Mask : r.Next(Mask), role: Role.InOut);
        Integers("candidates", new Shape(images, n), (r, _) => r.Next(Mask));
        In("confidence", new Shape(images, n));
        In("logProb", new Shape(images, n));
        Doubles("actions", new Shape(images, 4), (r, i) => (i % 4) switch { 0 => r.NextDouble(), 2 => temperature, _ => 1 });
        Doubles("startShare", new Shape(images), (r, _) => 0.5 + (0.5 * r.NextDouble()));
        Integers("trajectories", new Shape(images), (_, i) => 9 + i);
        Integers("decodedStep", new Shape(images, n), (_, _) => -1, role: Role.InOut);
        InOut("decodedLogProb", new Shape(images, n));
    }

    public override OperationRow With(int images) => new RemaskRow(images, _size.N, _size.Temperature);

    public override void Run(IBackend backend, Tensor[] t)
    {
        using CallMemory call = new(backend);
        backend.Remask(new RemaskOperands
        {
            Canvas = t[0],
            Candidates = t[1],
            Confidence = t[2],
            LogProb = t[3],
            Actions = t[4],
            StartShare = t[5],
            Trajectories = t[6],
            DecodedStep = t[7],
            DecodedLogProb = t[8],
        }, call.Noise(Key, Step), Steps, CountRule.Double, Mask);
    }

    public override void Reference<T>(Operands<T> v)
    {
        int n = _size.N;
        for (int b = 0; b < Images; b++)
        {
            int first = b * n;
            int[] canvas = v.Integers(0);
            int masked = canvas.AsSpan(first, n).Count(Mask);

            // The count is fp64 in any precision: fp32 operands of this row hold the actions exactly as often as not.
            int left = RemaskCount.Of(n, double.CreateChecked(v[4][4 * b]) * double.CreateChecked(v[5][b]), masked, Step, Steps);
            T[] scores =
            [
                .. Enumerable
                    .Range(0, n)
                    .Select(i => v[2][first + i] + (v[4][(4 * b) + 2] * GuidedFormula.Gumbel<T>(Key, Step, i, 0, v.Integers(6)[b]))),
            ];
            foreach (
                int i in Enumerable.Range(0, n).Where(i => canvas[first + i] == Mask).OrderBy(i => scores[i]).ThenBy(i => i).Skip(left).ToArray()
            )
            {
                canvas[first + i] = v.Integers(1)[first + i];
                v.Integers(7)[first + i] = Step;
                v[8][first + i] = v[3][first + i];
            }
        }
    }
}

internal sealed class MaskedRowsRow : OperationRow
{
    private const int Mask = 77;
    private readonly (int N, double Share) _size;

    public MaskedRowsRow(int images, int n, double share)
        : base(nameof(IBackend.MaskedRows), images, $"{n} positions, {share} masked", wide: true)
    {
        _size = (n, share);
        Integers("canvas", new Shape(images, n), (r, _) => r.NextDouble() < share ? Mask : r.Next(Mask));
        Integers("rows", new Shape(images, n), (_, _) => -5, shared: true, role: Role.InOut);
        Integers("count", new Shape(1), (_, _) => -1, shared: true, role: Role.Out);
        Integers("masked", new Shape(images), (_, _) => -1, role: Role.Out);
        Out("fractions", new Shape(images));
    }

    public override OperationRow With(int images) => new MaskedRowsRow(images, _size.N, _size.Share);

    public override void Run(IBackend backend, Tensor[] t) =>
        backend.MaskedRows(t[0], Mask, t[1].Reshape(new Shape(Images * _size.N)), t[2], t[3], t[4]);

    public override void Reference<T>(Operands<T> v)
    {
        int count = 0;
        for (int i = 0; i < Images * _size.N; i++)
        {
            v.Integers(3)[i / _size.N] = i % _size.N == 0 ? 0 : v.Integers(3)[i / _size.N];
            if (v.Integers(0)[i] == Mask)
            {
                v.Integers(1)[count++] = i;
                v.Integers(3)[i / _size.N]++;
            }
        }

        v.Integers(2)[0] = count;
        for (int b = 0; b < Images; b++)
        {
            v[4][b] = Of<T>(v.Integers(3)[b]) / Of<T>(_size.N);
        }
    }
}

internal sealed class HeadRowsRow : OperationRow
{
    private readonly (HeadGrid Grid, double Share, bool Live) _size;

    public HeadRowsRow(int images, HeadGrid grid, double share, bool live = false)
        : base(
            nameof(IBackend.HeadRows),
            1,
            $"{images} of {grid.Height}x{grid.Width} after {grid.TextTokens}{(grid.Upsample ? " up" : "")}, {share}{(live ? " live" : "")}",
            wide: true
        )
    {
        _size = (grid with { Images = images }, share, live);
        Random random = new(7);
        int[] wanted = [.. Enumerable.Range(0, images * grid.Codes).Where(_ => random.NextDouble() < share)];
        int room = wanted.Length + (live ? 3 : 0);
        Integers("rows", new Shape(room), (_, i) => i < wanted.Length ? wanted[i] : 1 << 28);
        Integers("live", new Shape(1), (_, _) => wanted.Length);
        Integers("tokens", new Shape(Math.Min(room, images * grid.Tokens)), (_, _) => -5, role: Role.InOut);
        Integers("tokenCount", new Shape(1), (_, _) => -1, role: Role.Out);
        Integers("codes", new Shape(room), (_, _) => -5, role: Role.InOut);
    }

    public override OperationRow With(int images) => new HeadRowsRow(_size.Grid.Images, _size.Grid, _size.Share, _size.Live);

    public override void Run(IBackend backend, Tensor[] t) =>
        backend.HeadRows(_size.Live ? t[0].WithLiveRows(t[1]) : t[0], _size.Grid, t[2], t[3], _size.Grid.Upsample ? t[4] : default);

    public override void Reference<T>(Operands<T> v)
    {
        HeadGrid grid = _size.Grid;
        int live = v.Integers(1)[0];
        int[] tokens = [.. v.Integers(0).Take(live).Select(row => TokenOf(grid, row)).Distinct().Order()];
        for (int i = 0; i < tokens.Length; i++)
        {
            v.Integers(2)[i] = (tokens[i] / grid.Tokens * (grid.TextTokens + grid.Tokens)) + grid.TextTokens + (tokens[i] % grid.Tokens);
        }

        v.Integers(3)[0] = tokens.Length;
        for (int r = 0; grid.Upsample && r < live; r++)
        {
            int code = v.Integers(0)[r] % grid.Codes;
            v.Integers(4)[r] = (4 * Array.IndexOf(tokens, TokenOf(grid, v.Integers(0)[r]))) + (2 * (code / grid.Width % 2)) + (code % grid.Width % 2);
        }
    }

    private static int TokenOf(HeadGrid grid, int row)
    {
        (int image, int code) = (row / grid.Codes, row % grid.Codes);
        return (image * grid.Tokens) + (grid.Upsample ? (code / grid.Width / 2 * (grid.Width / 2)) + (code % grid.Width / 2) : code);
    }
}

/// <summary>
/// fp64 throughout, hence the plain form in fp32 says nothing: the result is that of <see cref="ScheduleLink.Apply"/> but for the last digits of exp
/// and log.
/// </summary>
internal sealed class ScheduleActionsRow : OperationRow
{
    private const int Trained = 0b1011;
    private readonly ScheduleLink _link;

    public ScheduleActionsRow(int images, ScheduleLink link)
        : base(
            nameof(IBackend.ScheduleActions),
            images,
            $"{(link.Relative ? "relative" : "absolute")}{(link.First ? " first" : "")}{(link.Last ? " last" : "")}",
            wide: true
        )
    {
        _link = link;
        In("delta", new Shape(images, 4));
        Doubles("exploration", new Shape(images, 4), (r, i) => i % 4 == 2 ? 0 : 0.3 * Normal(r, i));
        Doubles("state", new Shape(images, 5), (r, i) => i % 5 == 0 ? r.NextDouble() : Normal(r, i), role: Role.InOut);
        Doubles("means", new Shape(images, 4), (_, _) => 0, role: Role.Out);
        Doubles("raw", new Shape(images, 4), (_, _) => 0, role: Role.Out);
        Doubles("actions", new Shape(images, 4), (_, _) => 0, role: Role.Out);
        Integers("clampHits", new Shape(images), (_, i) => i, role: Role.InOut);
    }

    public override double Slack => 1e-14;

    public override OperationRow With(int images) => new ScheduleActionsRow(images, _link);

    public override void Run(IBackend backend, Tensor[] t) => backend.ScheduleActions(t[0], t[1], Trained, _link, t[2], t[3], t[4], t[5], t[6]);

    public override void Reference<T>(Operands<T> v)
    {
        double[] raw = new double[4];
        for (int b = 0; b < Images; b++)
        {
            for (int k = 0; k < 4; k++)
            {
                double mean = (Trained >> k & 1) != 0 ? double.CreateChecked(v[0][(4 * b) + k]) : 0;
                raw[k] = mean + double.CreateChecked(v[1][(4 * b) + k]);
                (v[3][(4 * b) + k], v[4][(4 * b) + k]) = (Of<T>(mean), Of<T>(raw[k]));
            }

            Span<double> state = [.. v[2].AsSpan(5 * b, 5).ToArray().Select(double.CreateChecked)];
            ref ScheduleState image = ref System.Runtime.InteropServices.MemoryMarshal.Cast<double, ScheduleState>(state)[0];
            ScheduleAction action = _link.Apply(ref image, raw, out ScheduleClamps clamps);
            for (int k = 0; k < 5; k++)
            {
                v[2][(5 * b) + k] = Of<T>(state[k]);
            }

            for (int k = 0; k < 4; k++)
            {
                v[5][(4 * b) + k] = Of<T>(action.Component(k));
            }

            v.Integers(6)[b] += clamps == ScheduleClamps.None ? 0 : 1;
        }
    }
}
