namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.Attention"/>
    public void Attention(Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp, int heads, bool causal)
    {
        AttentionArguments args = AttentionShapes(q, k, v, o, logSumExp, heads, causal);
        int tiles = (args.Queries + AttentionForward.QueryTile - 1) / AttentionForward.QueryTile;
        nint* scratch = stackalloc nint[Threads];
        args.Scratch = scratch;
        WorkerScratch(scratch, AttentionForward.ScratchFloats(in args) * sizeof(float));
        _team.For(args.Images * heads * tiles, &AttentionForward.Run, &args);
    }

    /// <inheritdoc cref="IBackend.AttentionBackward"/>
    public void AttentionBackward(
        Tensor dO,
        Tensor q,
        Tensor k,
        Tensor v,
        Tensor o,
        Tensor logSumExp,
        Tensor dq,
        Tensor dk,
        Tensor dv,
        int heads,
        bool causal
    )
    {
        AttentionArguments args = AttentionShapes(q, k, v, o, logSumExp, heads, causal);
        Require.That(args.LogSumExp != null, nameof(logSumExp), logSumExp, "the log-sum-exp that the forward pass saved");
        Require.Matrix(dO, q.Rows, q.Columns);
        Require.Matrix(dq, q.Rows, q.Columns);
        Require.Matrix(dk, k.Rows, k.Columns);
        Require.Matrix(dv, v.Rows, v.Columns);
        args.DO = dO.F32;
        args.DOStride = dO.RowStride;
        args.DQ = dq.F32;
        args.DQStride = dq.RowStride;
        args.DK = dk.F32;
        args.DKStride = dk.RowStride;
        args.DV = dv.F32;
        args.DVStride = dv.RowStride;

        int pairs = args.Images * heads;
        bool split = pairs < Threads;
        nint* scratch = stackalloc nint[Threads];
        args.Scratch = scratch;
        WorkerScratch(scratch, Cpu.AttentionBackward.ScratchFloats(in args, split ? Cpu.AttentionBackward.QueryTile : args.Queries) * sizeof(float));
        if (!split)
        {
            _team.For(pairs, &Cpu.AttentionBackward.RunHeads, &args);
            return;
        }

        // Fewer heads than workers: seven products a tile instead of five, but everyone works.
        _team.For(
            pairs * ((args.Keys + Cpu.AttentionBackward.KeyTile - 1) / Cpu.AttentionBackward.KeyTile),
            &Cpu.AttentionBackward.RunKeyTiles,
            &args
        );
        _team.For(
            pairs * ((args.Queries + Cpu.AttentionBackward.QueryTile - 1) / Cpu.AttentionBackward.QueryTile),
            &Cpu.AttentionBackward.RunQueryTiles,
            &args
        );
    }

    private static AttentionArguments AttentionShapes(Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp, int heads, bool causal)
    {
        Require.Rank(q, 3);
        Require.Rank(k, 3);
        Require.That(
            heads > 0 && q.Columns % heads == 0 && q.Columns > 0,
            nameof(q),
            q,
            "a multiple of the number of heads as its fastest dimension"
        );
        Require.That(k.Shape[0] == q.Shape[0], nameof(k), k, "as many images as q");
        Require.That(!causal || k.Shape[1] == q.Shape[1], nameof(k), k, "as many tokens as q when causal");
        Require.Matrix(q, -1, -1);
        Require.Matrix(k, -1, q.Columns);
        Require.Matrix(v, k.Rows, q.Columns);
        Require.Matrix(o, q.Rows, q.Columns);
        if (!logSumExp.IsNone)
        {
            Require.Count(logSumExp, (long)q.Rows * heads);
        }

        return new AttentionArguments
        {
            Q = q.F32,
            K = k.F32,
            V = v.F32,
            O = o.F32,
            LogSumExp = logSumExp.F32,
            QStride = q.RowStride,
            KStride = k.RowStride,
            VStride = v.RowStride,
            OStride = o.RowStride,
            Images = q.Shape[0],
            Heads = heads,
            Queries = q.Shape[1],
            Keys = k.Shape[1],
            Width = q.Columns / heads,
            Causal = causal,
        };
    }
}
