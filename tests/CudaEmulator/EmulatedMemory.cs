using CoGrpo.CudaEmulator.Driver;
using CoGrpo.CudaEmulator.Memory;

namespace CoGrpo.CudaEmulator;

/// <summary>
/// Marks ranges of device memory for the checks. Works on the context that is current on this thread; what is queued there runs first.
/// </summary>
public static unsafe class EmulatedMemory
{
    /// <summary>Makes a range unaddressable for kernels; host copies still reach it.</summary>
    /// <exception cref="ArgumentException">The range does not lie in one allocation.</exception>
    public static void Poison(ulong address, long bytes) =>
        Mark(address, bytes, (context, region, offset) => context.Memory.SetPoisoned(region, offset, (ulong)bytes, true));

    /// <summary>Makes a range addressable again.</summary>
    /// <exception cref="ArgumentException">The range does not lie in one allocation.</exception>
    public static void Unpoison(ulong address, long bytes) =>
        Mark(address, bytes, (context, region, offset) => context.Memory.SetPoisoned(region, offset, (ulong)bytes, false));

    /// <summary>Takes a range for never written, so that reading it before it is written again is an error.</summary>
    /// <exception cref="ArgumentException">The range does not lie in one allocation.</exception>
    public static void MarkUninitialized(ulong address, long bytes) => Mark(address, bytes, (_, region, offset) =>
    {
        if (region->Written != null)
        {
            ByteBits.Clear(region->Written, offset, (ulong)bytes);
        }
    });

    private delegate void Marking(EmulatedContext context, Region* region, ulong offset);

    private static void Mark(ulong address, long bytes, Marking mark)
    {
        EmulatedContext context = EmulatedMachine.CurrentContext;
        context.Flush();
        if (bytes <= 0)
        {
            return;
        }

        lock (context.Gate)
        {
            try
            {
                Region* region = context.RegionOf(address, bytes, "marking memory");
                mark(context, region, address - region->Start);
            }
            catch (DriverException error)
            {
                throw new ArgumentException(error.Message, nameof(address));
            }
        }
    }
}
