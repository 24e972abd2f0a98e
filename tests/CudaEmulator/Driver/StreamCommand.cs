using System.Diagnostics;
using System.Runtime.InteropServices;
using CoGrpo.CudaEmulator.Memory;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.CudaEmulator.Driver;

/// <summary>A piece of work in a stream or graph. May be executed any number of times.</summary>
internal abstract class StreamCommand
{
    /// <exception cref="DriverException">It fails; the context is lost.</exception>
    public abstract void Execute(EmulatedContext context);
}

/// <summary>A kernel launch with its arguments as they were.</summary>
internal sealed class KernelCommand(EmulatedFunction function, Dim3 grid, Dim3 block, int sharedBytes, byte[] parameters, bool cooperative)
    : StreamCommand
{
    public override void Execute(EmulatedContext context) => context.Execute(function, grid, block, sharedBytes, parameters, cooperative);
}

/// <summary>A copy from page-locked host memory, read when it is executed.</summary>
internal sealed unsafe class UploadCommand(ulong to, nint from, long bytes) : StreamCommand
{
    public override void Execute(EmulatedContext context)
    {
        Region* region = context.RegionOf(to, bytes, "copy to the device");
        ulong offset = to - region->Start;
        Buffer.MemoryCopy((void*)from, region->Host + offset, bytes, bytes);
        AddressSpace.SetWritten(region, offset, (ulong)bytes);
    }
}

/// <summary>A copy from host memory that was read when the call was made.</summary>
internal sealed unsafe class UploadCopyCommand(ulong to, byte[] bytes) : StreamCommand
{
    public override void Execute(EmulatedContext context)
    {
        Region* region = context.RegionOf(to, bytes.Length, "copy to the device");
        ulong offset = to - region->Start;
        bytes.CopyTo(new Span<byte>(region->Host + offset, bytes.Length));
        AddressSpace.SetWritten(region, offset, (ulong)bytes.Length);
    }
}

/// <summary>A copy to host memory.</summary>
internal sealed unsafe class DownloadCommand(nint to, ulong from, long bytes) : StreamCommand
{
    public override void Execute(EmulatedContext context)
    {
        Region* region = context.RegionOf(from, bytes, "copy from the device");
        Buffer.MemoryCopy(region->Host + (from - region->Start), (void*)to, bytes, bytes);
    }
}

/// <summary>A copy within the device. Bytes never written stay so.</summary>
internal sealed unsafe class DeviceCopyCommand(ulong to, ulong from, long bytes) : StreamCommand
{
    public override void Execute(EmulatedContext context)
    {
        Region* source = context.RegionOf(from, bytes, "copy on the device");
        Region* target = context.RegionOf(to, bytes, "copy on the device");
        Buffer.MemoryCopy(source->Host + (from - source->Start), target->Host + (to - target->Start), bytes, bytes);
        if (source->Written != null && target->Written != null)
        {
            ByteBits.Copy(source->Written, from - source->Start, target->Written, to - target->Start, (ulong)bytes);
        }
    }
}

/// <summary>A fill with a repeated value of 1 or 4 bytes.</summary>
internal sealed unsafe class FillCommand(ulong to, uint value, long count, int size) : StreamCommand
{
    public override void Execute(EmulatedContext context)
    {
        Region* region = context.RegionOf(to, count * size, "fill");
        ulong offset = to - region->Start;
        if (size == 1)
        {
            NativeMemory.Fill(region->Host + offset, (nuint)count, (byte)value);
        }
        else
        {
            for (long i = 0; i < count; i++)
            {
                ((uint*)(region->Host + offset))[i] = value;
            }
        }

        AddressSpace.SetWritten(region, offset, (ulong)(count * size));
    }
}

/// <summary>The mark of an event.</summary>
internal sealed class RecordCommand(EmulatedStream stream) : StreamCommand
{
    public EmulatedStream Stream { get; } = stream;

    public bool IsReached { get; private set; }

    /// <summary>When it was reached.</summary>
    public long Time { get; private set; }

    public override void Execute(EmulatedContext context)
    {
        Time = Stopwatch.GetTimestamp();
        IsReached = true;
    }
}

/// <summary>Waits until an event's mark is reached in another stream.</summary>
internal sealed class WaitCommand(RecordCommand mark) : StreamCommand
{
    public override void Execute(EmulatedContext context) => mark.Stream.RunUntil(mark);
}
