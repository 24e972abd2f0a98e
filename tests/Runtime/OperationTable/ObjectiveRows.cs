using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Optimization;

namespace CoGrpo.Tests.Runtime.OperationTable;

/// <summary>Segments of equal length; their ratios lie on both sides of the clip, and one log-ratio beyond the clamp.</summary>
internal sealed class ClippedObjectiveRow : OperationRow
{
    private const double Normalizer = 48;
    private static readonly ClippedSurrogate Surrogate = new(0.8, 1.25, 1.5, 3);
    private readonly (int Rows, bool Old, double Kl) _size;

    public ClippedObjectiveRow(int segments, int rows, bool old, double kl)
        : base(nameof(IBackend.ClippedObjective), segments, $"{rows} rows{(old ? " stored" : "")}{(kl > 0 ? " penalised" : "")}", wide: true)
    {
        _size = (rows, old, kl);
        In("logProb", new Shape(segments, rows), draw: (r, i) => -2 + (0.1 * Normal(r, i)));
        In("oldLogProb", new Shape(segments, rows), draw: (r, i) => i / Math.Max(1, rows) % 5 == 4 ? -9 : -2 + (0.1 * Normal(r, i)));
        In("referenceLogProb", new Shape(segments, rows), draw: (r, i) => i % 7 == 3 ? -6 : -2 + (0.5 * Normal(r, i)));
        Doubles("advantages", new Shape(segments), Normal);
        Doubles("weights", new Shape(segments), (_, i) => i % 3);
        Out("upstream", new Shape(segments, rows));
    }

    public override OperationRow With(int images) => new ClippedObjectiveRow(images, _size.Rows, _size.Old, _size.Kl);

    public override void Run(IBackend backend, Tensor[] t)
    {
        using CallMemory call = new(backend);
        Shape rows = new(Images * _size.Rows);
        backend.ClippedObjective(new ClippedObjectiveOperands
        {
            LogProb = t[0].Reshape(rows),
            OldLogProb = _size.Old ? t[1].Reshape(rows) : default,
            ReferenceLogProb = _size.Kl > 0 ? t[2].Reshape(rows) : default,
            Starts = call.Put([.. Enumerable.Range(0, Images + 1).Select(s => s * _size.Rows)]),
            Advantages = t[3],
            Weights = t[4],
            Upstream = t[5].Reshape(rows),
        }, Surrogate, Normalizer, _size.Kl);
    }

    public override void Reference<T>(Operands<T> v)
    {
        T Clamped(T x, double low, double high) => T.Clamp(x, Of<T>(low), Of<T>(high));
        for (int s = 0; s < Images; s++)
        {
            T logRatio = T.Zero;
            for (int r = s * _size.Rows; r < (s + 1) * _size.Rows && _size.Old; r++)
            {
                logRatio += v[0][r] - v[1][r];
            }

            T ratio = T.Exp(Clamped(logRatio, -Surrogate.LogRatioClamp, Surrogate.LogRatioClamp));
            T capped = v[3][s] < T.Zero ? T.Min(ratio, Of<T>(Surrogate.Cap)) : ratio;
            bool flat =
                Clamped(ratio, Surrogate.Low, Surrogate.High) * v[3][s] < capped * v[3][s]
                || capped != ratio
                || T.Abs(logRatio) > Of<T>(Surrogate.LogRatioClamp);
            for (int r = s * _size.Rows; r < (s + 1) * _size.Rows; r++)
            {
                T d = v[2][r] - v[0][r];
                T gradient = flat ? T.Zero : -(capped * v[3][s]) * v[4][s] / Of<T>(Normalizer);
                bool penalised = _size.Kl > 0 && T.Abs(d) <= Of<T>(Surrogate.LogRatioClamp);
                v[5][r] = gradient + (penalised ? Of<T>(_size.Kl) * v[4][s] / Of<T>(Normalizer) * (T.One - T.Exp(d)) : T.Zero);
            }
        }
    }
}
