using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using CoGrpo.CudaEmulator.Checks;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;
using CoGrpo.CudaEmulator.Memory;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>
/// ldmatrix and stmatrix: 8 x 8 matrices of 16-bit elements, each row 16 adjacent bytes of shared memory whose address a lane gives. Extra is
/// the number of matrices, Guard 1 for transposed ones; results D, B, C, E.
/// </summary>
internal static unsafe class MatrixLoads
{
    private const int RowBytes = 16;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Load(Warp warp, Instr* at)
    {
        Instr* waits = WarpOperations.WholeWarp(warp, at, "ldmatrix");
        if (waits != null)
        {
            return waits;
        }

        ulong* addresses = Addresses(warp, at, out uint lanes);
        bool transposed = at->Guard != 0;
        for (int matrix = 0; matrix < at->Extra; matrix++)
        {
            uint* target = (uint*)(warp.R + Slot(at, matrix));
            uint* rows = (uint*)warp.Scratch;
            for (int row = 0; row < 8; row++)
            {
                byte* from = Row(warp, at, addresses[(8 * matrix) + row], (8 * matrix) + row, row, transposed);
                *(UInt128*)(rows + (4 * row)) = *(UInt128*)from;
            }

            if (transposed)
            {
                Transpose((ushort*)rows, (ushort*)target);
            }
            else
            {
                new ReadOnlySpan<uint>(rows, 32).CopyTo(new Span<uint>(target, 32));
            }
        }

        MemoryCounters.Shared(warp, addresses, lanes, RowBytes, false);
        return at + 1;
    }

    public static Instr* Store(Warp warp, Instr* at)
    {
        Instr* waits = WarpOperations.WholeWarp(warp, at, "stmatrix");
        if (waits != null)
        {
            return waits;
        }

        ulong* addresses = Addresses(warp, at, out uint lanes);
        byte* rows = warp.Scratch;
        for (int matrix = 0; matrix < at->Extra; matrix++)
        {
            byte* source = warp.R + Slot(at, matrix);
            if (at->Guard != 0)
            {
                Transpose((ushort*)source, (ushort*)rows);
            }
            else
            {
                new ReadOnlySpan<byte>(source, 128).CopyTo(new Span<byte>(rows, 128));
            }

            for (int row = 0; row < 8; row++)
            {
                int lane = (8 * matrix) + row;
                byte* to = SharedAccess.WriteLane(warp, at, lane, addresses[lane], 4, rows + (RowBytes * row));
                *(UInt128*)to = *(UInt128*)(rows + (RowBytes * row));
            }
        }

        MemoryCounters.Shared(warp, addresses, lanes, RowBytes, true);
        return at + 1;
    }

    private static ulong* Addresses(Warp warp, Instr* at, out uint lanes)
    {
        ulong* addresses = warp.Addresses;
        lanes = at->Extra == 4 ? uint.MaxValue : (1u << (8 * at->Extra)) - 1;
        for (int lane = 0; lane < 32; lane++)
        {
            ulong register = (at->Flags & AccessFlags.NarrowAddress) != 0 ? ((uint*)(warp.R + at->A))[lane] : ((ulong*)(warp.D + at->A))[lane];
            addresses[lane] = (register & Windows.Offset) + (ulong)at->Value;
        }

        return addresses;
    }

    private static int Slot(Instr* at, int matrix) => matrix switch { 0 => at->D, 1 => at->B, 2 => at->C, _ => at->E };

    /// <summary>
    /// Host address of a row after its checks. Word w of the row goes to lane 4 row + w; of a transposed one, parts go to many lanes.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* Row(Warp warp, Instr* at, ulong offset, int lane, int row, bool transposed)
    {
        Region* region = warp.Block.Shared;
        uint self = SharedSpace.LaneField(warp, 4 * row) | (transposed ? CellFormat.OtherLanes : 0);
        if ((offset & (RowBytes - 1)) == 0 && SharedAccess.ReadRun(warp, at, region, offset, RowBytes, 2, self))
        {
            return region->Host + offset;
        }

        // Word by word, in the name of the lane that gets it.
        SharedAccess.Checked(warp, at, lane, offset, 4, "read");
        for (int word = 0; word < 4; word++)
        {
            SharedAccess.ReadLane(warp, at, (4 * row) + word, offset + (4 * (uint)word), 2);
        }

        return region->Host + offset;
    }

    private static void Transpose(ushort* from, ushort* to)
    {
        if (!Avx512BW.IsSupported)
        {
            for (int i = 0; i < 64; i++)
            {
                to[(8 * (i & 7)) + (i >> 3)] = from[i];
            }

            return;
        }

        Vector512<ushort> x = Vector512.Load(from);
        Vector512<ushort> y = Vector512.Load(from + 32);
        Vector512<ushort> pick = Vector512.Create(
            (ushort)0,
            8,
            16,
            24,
            32,
            40,
            48,
            56,
            1,
            9,
            17,
            25,
            33,
            41,
            49,
            57,
            2,
            10,
            18,
            26,
            34,
            42,
            50,
            58,
            3,
            11,
            19,
            27,
            35,
            43,
            51,
            59
        );
        Avx512BW.PermuteVar32x16x2(x, pick, y).Store(to);
        Avx512BW.PermuteVar32x16x2(x, pick + Vector512.Create((ushort)4), y).Store(to + 32);
    }
}
