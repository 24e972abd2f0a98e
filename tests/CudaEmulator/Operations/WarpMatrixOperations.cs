using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;
using CoGrpo.CudaEmulator.Memory;
using CoGrpo.CudaEmulator.Ptx;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>The matrices of a product.</summary>
internal enum WarpMatrixPart
{
    A,
    B,
    C,
}

/// <summary>
/// A fragment of wmma. How lanes share a matrix is left open by PTX; here lane l holds the elements from l · n on, by rows, n for each lane,
/// and where registers have room for more, the same again.
/// </summary>
internal sealed class WarpFragment
{
    public required int Rows { get; init; }

    public required int Columns { get; init; }

    /// <summary>In memory, neighbours lie in a column.</summary>
    public required bool ByColumns { get; init; }

    public required int ElementBytes { get; init; }

    public required int[] Slots { get; init; }

    /// <summary>Slot of the distance of rows (or columns) in elements.</summary>
    public required int Stride { get; init; }

    public required PtxSpace? Space { get; init; }

    /// <summary>Elements of a lane.</summary>
    public int PerLane => Rows * Columns / 32;

    /// <summary>Elements of a register.</summary>
    public int PerRegister => 4 / ElementBytes;

    /// <summary>Whether the registers hold the matrix.</summary>
    public bool Fits => ElementBytes is 1 or 2 or 4 && Slots.Length * PerRegister >= PerLane;
}

/// <summary>A wmma product.</summary>
internal sealed class WarpMultiply
{
    public required int Rows { get; init; }

    public required int Columns { get; init; }

    public required int Depth { get; init; }

    public required MatrixElement ElementA { get; init; }

    public required MatrixElement ElementB { get; init; }

    public required bool HalfC { get; init; }

    public required bool HalfD { get; init; }

    public required bool Saturates { get; init; }

    public required int[] A { get; init; }

    public required int[] B { get; init; }

    public required int[] C { get; init; }

    public required int[] D { get; init; }
}

/// <summary>wmma.load, wmma.store and wmma.mma.</summary>
internal static unsafe class WarpMatrixOperations
{
    public static Instr* Load(Warp warp, Instr* at)
    {
        Instr* waits = WarpOperations.WholeWarp(warp, at, "wmma.load");
        if (waits != null)
        {
            return waits;
        }

        var fragment = (WarpFragment)warp.Launch.Code.Objects[at->Extra];
        ulong* addresses = warp.Addresses;
        int size = System.Numerics.BitOperations.Log2((uint)fragment.ElementBytes);
        for (int i = 0; i < fragment.PerLane; i++)
        {
            bool shared = Place(warp, at, fragment, i, addresses);
            for (int lane = 0; lane < 32; lane++)
            {
                byte* from = shared
                    ? SharedAccess.ReadLane(warp, at, lane, addresses[lane], size)
                    : GlobalAccess.ReadLane(warp, at, lane, addresses[lane], size);
                for (int copy = i; copy < fragment.Slots.Length * fragment.PerRegister; copy += fragment.PerLane)
                {
                    Buffer.MemoryCopy(
                        from,
                        Element(warp, fragment.Slots, fragment.ElementBytes, lane, copy),
                        fragment.ElementBytes,
                        fragment.ElementBytes
                    );
                }
            }

            Count(warp, at, addresses, shared, fragment.ElementBytes, false);
        }

        return at + 1;
    }

    public static Instr* Store(Warp warp, Instr* at)
    {
        Instr* waits = WarpOperations.WholeWarp(warp, at, "wmma.store");
        if (waits != null)
        {
            return waits;
        }

        var fragment = (WarpFragment)warp.Launch.Code.Objects[at->Extra];
        ulong* addresses = warp.Addresses;
        int size = System.Numerics.BitOperations.Log2((uint)fragment.ElementBytes);
        for (int i = 0; i < fragment.PerLane; i++)
        {
            bool shared = Place(warp, at, fragment, i, addresses);
            for (int lane = 0; lane < 32; lane++)
            {
                byte* value = Element(warp, fragment.Slots, fragment.ElementBytes, lane, i);
                byte* to = shared
                    ? SharedAccess.WriteLane(warp, at, lane, addresses[lane], size, value)
                    : GlobalAccess.WriteLane(warp, at, lane, addresses[lane], size, value);
                Buffer.MemoryCopy(value, to, fragment.ElementBytes, fragment.ElementBytes);
            }

            Count(warp, at, addresses, shared, fragment.ElementBytes, true);
        }

        return at + 1;
    }

    public static Instr* Multiply(Warp warp, Instr* at)
    {
        Instr* waits = WarpOperations.WholeWarp(warp, at, "wmma.mma");
        if (waits != null)
        {
            return waits;
        }

        var m = (WarpMultiply)warp.Launch.Code.Objects[at->Extra];
        warp.Counters->TensorOperations++;
        warp.Counters->TensorFlops += 2L * m.Rows * m.Columns * m.Depth;
        bool integer = m.ElementA is MatrixElement.Signed8 or MatrixElement.Unsigned8;
        double* a = stackalloc double[m.Rows * m.Depth];
        double* b = stackalloc double[m.Depth * m.Columns];
        Read(warp, m.A, m.ElementA, m.Rows * m.Depth, a);
        Read(warp, m.B, m.ElementB, m.Depth * m.Columns, b);
        int perLane = m.Rows * m.Columns / 32;
        for (int row = 0; row < m.Rows; row++)
        {
            for (int column = 0; column < m.Columns; column++)
            {
                int place = (row * m.Columns) + column;
                (int lane, int i) = (place / perLane, place % perLane);
                byte* c = Element(warp, m.C, m.HalfC ? 2 : 4, lane, i);
                byte* d = Element(warp, m.D, m.HalfD ? 2 : 4, lane, i);
                if (integer)
                {
                    long sum = *(int*)c;
                    for (int k = 0; k < m.Depth; k++)
                    {
                        sum += (long)(a[(row * m.Depth) + k] * b[(k * m.Columns) + column]);
                    }

                    *(int*)d = (int)(m.Saturates ? Math.Clamp(sum, int.MinValue, int.MaxValue) : sum);
                    continue;
                }

                float total = m.HalfC ? Float16.ToSingle(*(ushort*)c) : *(float*)c;
                for (int k = 0; k < m.Depth; k++)
                {
                    total = MathF.FusedMultiplyAdd((float)a[(row * m.Depth) + k], (float)b[(k * m.Columns) + column], total);
                }

                if (m.HalfD)
                {
                    *(ushort*)d = (ushort)Float16.FromSingle(total);
                }
                else
                {
                    *(float*)d = total;
                }
            }
        }

        return at + 1;
    }

    private static void Read(Warp warp, int[] slots, MatrixElement element, int count, double* to)
    {
        int bytes = element switch { MatrixElement.Half or MatrixElement.BFloat => 2, MatrixElement.Signed8 or MatrixElement.Unsigned8 => 1, _ => 4 };
        int perLane = count / 32;
        for (int place = 0; place < count; place++)
        {
            byte* from = Element(warp, slots, bytes, place / perLane, place % perLane);
            to[place] = element switch
            {
                MatrixElement.Half => Float16.ToSingle(*(ushort*)from),
                MatrixElement.BFloat => BFloat16.ToSingle(*(ushort*)from),
                MatrixElement.Signed8 => *(sbyte*)from,
                MatrixElement.Unsigned8 => *from,
                _ => BitConverter.UInt32BitsToSingle(*(uint*)from & 0xFFFFE000),
            };
        }
    }

    /// <summary>Where element <paramref name="i"/> of a lane lies in its registers.</summary>
    private static byte* Element(Warp warp, int[] slots, int bytes, int lane, int i) => warp.R + slots[i * bytes / 4] + (4 * lane) + (i * bytes % 4);

    /// <summary>Addresses of element <paramref name="i"/> of every lane; true where they lie in shared memory.</summary>
    private static bool Place(Warp warp, Instr* at, WarpFragment fragment, int i, ulong* addresses)
    {
        ulong start = ((at->Flags & AccessFlags.NarrowAddress) != 0 ? *(uint*)(warp.R + at->A) : *(ulong*)(warp.D + at->A)) + (ulong)at->Value;
        uint stride = *(uint*)(warp.R + fragment.Stride);
        bool shared = fragment.Space == PtxSpace.Shared || (fragment.Space is null && start >> Windows.Shift == Windows.Shared >> Windows.Shift);
        start = shared ? start & Windows.Offset : start;
        for (int lane = 0; lane < 32; lane++)
        {
            int place = (lane * fragment.PerLane) + i;
            (int row, int column) = (place / fragment.Columns, place % fragment.Columns);
            long offset = fragment.ByColumns ? ((long)column * stride) + row : ((long)row * stride) + column;
            addresses[lane] = start + (ulong)(offset * fragment.ElementBytes);
        }

        return shared;
    }

    private static void Count(Warp warp, Instr* at, ulong* addresses, bool shared, int bytes, bool write)
    {
        if (shared)
        {
            SharedSpace.CountLanes(warp, at, addresses, uint.MaxValue, bytes, write);
        }
        else
        {
            GlobalSpace.CountLanes(warp, at, addresses, uint.MaxValue, bytes, write);
        }
    }
}
