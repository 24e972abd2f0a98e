using CoGrpo.CudaEmulator.Checks;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>
/// Fences, and the strong accesses that hand on what fences order. In code without fences nothing is noted. See <see cref="BlockOrderings"/>
/// for what counts as ordered.
/// </summary>
internal static unsafe class Ordering
{
    /// <summary>membar, fence.</summary>
    public static Instr* Fence(Warp warp, Instr* at)
    {
        Fence(warp);
        return at + 1;
    }

    /// <summary>A fence by some lanes of a warp.</summary>
    public static void Fence(Warp warp)
    {
        if (warp.Launch.Orderings is { } orderings)
        {
            Block block = warp.Block;
            block.LastFence = block.Fence();
            orderings.Fence(block.Number, block.LastFence);
        }
    }

    /// <summary>A strong read of global memory.</summary>
    public static void Look(Warp warp, ulong address)
    {
        if (warp.Launch.Orderings is { } orderings)
        {
            uint clock = orderings.Acquire(warp.Block.Number, address);
            if (clock > 0)
            {
                warp.Block.AcquireBlock(warp, clock);
            }
        }
    }

    /// <summary>A strong write to global memory.</summary>
    public static void Tell(Warp warp, ulong address, bool release)
    {
        if (warp.Launch.Orderings is { } orderings)
        {
            if (release)
            {
                Fence(warp);
            }

            orderings.Release(warp.Block.Number, address);
        }
    }

    /// <summary>A strong read of shared memory.</summary>
    public static void LookShared(Warp warp, ulong offset)
    {
        if (warp.Launch.Orderings is not null && warp.Block.SharedFlags.TryGetValue(offset, out uint clock))
        {
            warp.Block.AcquireBlock(warp, clock);
        }
    }

    /// <summary>A strong write to shared memory.</summary>
    public static void TellShared(Warp warp, ulong offset, bool release)
    {
        if (warp.Launch.Orderings is not null)
        {
            if (release)
            {
                Fence(warp);
            }

            if (warp.Block.LastFence > 0)
            {
                warp.Block.SharedFlags[offset] = warp.Block.LastFence;
            }
        }
    }
}
