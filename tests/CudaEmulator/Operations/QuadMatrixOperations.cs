using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>mma.m8n8k4 of fp16, the first tensor-core instruction: four products at once, each by the lanes 4q … 4q + 3 and 16 more.</summary>
internal sealed class QuadMultiply
{
    /// <summary>A is held by columns.</summary>
    public required bool ColumnsA { get; init; }

    /// <summary>B is held by rows.</summary>
    public required bool RowsB { get; init; }

    public required bool HalfC { get; init; }

    public required bool HalfD { get; init; }

    public required int[] A { get; init; }

    public required int[] B { get; init; }

    public required int[] C { get; init; }

    public required int[] D { get; init; }
}

/// <summary>Executes <see cref="QuadMultiply"/>.</summary>
internal static unsafe class QuadMatrixOperations
{
    public static Instr* Multiply(Warp warp, Instr* at)
    {
        Instr* waits = WarpOperations.WholeWarp(warp, at, "mma.sync");
        if (waits != null)
        {
            return waits;
        }

        var m = (QuadMultiply)warp.Launch.Code.Objects[at->Extra];
        warp.Counters->TensorOperations++;
        warp.Counters->TensorFlops += 4 * 2 * 8 * 8 * 4;
        float* a = (float*)warp.Scratch;
        float* b = a + 32;
        float* c = b + 32;
        for (int quad = 0; quad < 4; quad++)
        {
            for (int member = 0; member < 8; member++)
            {
                int lane = (4 * quad) + (member & 3) + (16 * (member >> 2));
                int upper = 4 * (member >> 2);
                for (int i = 0; i < 4; i++)
                {
                    int row = m.ColumnsA ? i + upper : (member & 3) + upper;
                    int depth = m.ColumnsA ? member & 3 : i;
                    a[(4 * row) + depth] = Half(warp, m.A, lane, i);
                    int column = m.RowsB ? i + upper : (member & 3) + upper;
                    b[(8 * (m.RowsB ? member & 3 : i)) + column] = Half(warp, m.B, lane, i);
                }

                for (int i = 0; i < 8; i++)
                {
                    c[Place(m.HalfC, member, i)] = m.HalfC ? Half(warp, m.C, lane, i) : ((float*)(warp.R + m.C[i]))[lane];
                }
            }

            for (int row = 0; row < 8; row++)
            {
                for (int column = 0; column < 8; column++)
                {
                    for (int k = 0; k < 4; k++)
                    {
                        c[(8 * row) + column] = MathF.FusedMultiplyAdd(a[(4 * row) + k], b[(8 * k) + column], c[(8 * row) + column]);
                    }
                }
            }

            for (int member = 0; member < 8; member++)
            {
                int lane = (4 * quad) + (member & 3) + (16 * (member >> 2));
                for (int i = 0; i < 8; i++)
                {
                    float value = c[Place(m.HalfD, member, i)];
                    if (m.HalfD)
                    {
                        ((ushort*)(warp.R + m.D[i >> 1]))[(2 * lane) + (i & 1)] = (ushort)Float16.FromSingle(value);
                    }
                    else
                    {
                        ((float*)(warp.R + m.D[i]))[lane] = value;
                    }
                }
            }
        }

        return at + 1;
    }

    /// <summary>Where sum <paramref name="i"/> of a member lies in the 8 x 8 result.</summary>
    private static int Place(bool half, int member, int i)
    {
        int upper = 4 * (member >> 2);
        return half ? (8 * ((member & 3) + upper)) + i : (8 * ((member & 1) + (i & 2) + upper)) + (i & 4) + (member & 2) + (i & 1);
    }

    private static float Half(Warp warp, int[] slots, int lane, int i) => Float16.ToSingle(((ushort*)(warp.R + slots[i >> 1]))[(2 * lane) + (i & 1)]);
}
