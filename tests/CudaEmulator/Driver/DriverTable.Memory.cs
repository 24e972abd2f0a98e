using System.Runtime.InteropServices;
using CoGrpo.CudaEmulator.Memory;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.CudaEmulator.Driver;

/// <summary>Memory and copies.</summary>
internal static unsafe partial class DriverTable
{
    [UnmanagedCallersOnly]
    private static CudaResult MemGetInfo(nuint* free, nuint* total) => DriverCall.InContext(context =>
    {
        *total = (nuint)context.Memory.Capacity;
        *free = (nuint)(context.Memory.Capacity - context.Memory.Used);
    });

    [UnmanagedCallersOnly]
    private static CudaResult MemAlloc(ulong* address, nuint bytes) => DriverCall.InContext(context =>
    {
        DriverCall.NotWhileRecording(context, "allocating memory");
        if (bytes == 0)
        {
            throw new DriverException(CudaResult.InvalidValue, "allocation of 0 bytes");
        }

            Region* region = context.Memory.Allocate(bytes, RegionKind.Allocation, "allocation");
            if (region == null)
            {
                throw new DriverException(
                    CudaResult.OutOfMemory,
                    $"wanted {bytes} bytes, {context.Memory.Capacity - context.Memory.Used} of {context.Memory.Capacity} are free"
                );
            }

        *address = region->Start;
    });

    [UnmanagedCallersOnly]
    private static CudaResult MemFree(ulong address) => DriverCall.Freeing(context =>
    {
        DriverCall.NotWhileRecording(context, "freeing memory");
        if (address == 0)
        {
            return;
        }

        // As on a device, freeing waits for what runs.
        context.RunAll();
        if (!context.Memory.Free(address, RegionKind.Allocation))
        {
            (RegionNote? nearest, RegionNote? freed) = context.Memory.Explain(address);
            throw new DriverException(CudaResult.InvalidValue, freed is not null ? $"free of 0x{address:x}: {freed} was freed before"
                : $"free of 0x{address:x}: no allocation begins there{(nearest is null ? "" : $"; the nearest is {nearest}")}");
        }
    });

    [UnmanagedCallersOnly]
    private static CudaResult MemHostAlloc(void** address, nuint bytes, uint flags) =>
        DriverCall.InContext(context =>
        {
            DriverCall.NotWhileRecording(context, "allocating page-locked memory");
            *address =
                bytes == 0 ? throw new DriverException(CudaResult.InvalidValue, "allocation of 0 bytes") : (void*)context.AllocateHost((long)bytes);
        });

    [UnmanagedCallersOnly]
    private static CudaResult MemFreeHost(void* address) => DriverCall.Freeing(context =>
    {
        DriverCall.NotWhileRecording(context, "freeing page-locked memory");
        context.RunAll();
        if (!context.FreeHost((nint)address))
        {
            throw new DriverException(CudaResult.InvalidValue, $"free of host memory 0x{(nint)address:x}: no page-locked memory begins there");
        }
    });

    [UnmanagedCallersOnly]
    private static CudaResult MemcpyHtoD(ulong to, void* from, nuint bytes, nint stream) => DriverCall.InContext(context =>
    {
        if (bytes == 0)
        {
            return;
        }

        context.RegionOf(to, (long)bytes, "copy to the device");
        bool locked = context.IsPageLocked((nint)from, (long)bytes);
        if (!locked)
        {
            NoPageable(context, stream);
        }

            Queue(
                context,
                stream,
                locked
                    ? new UploadCommand(to, (nint)from, (long)bytes)
                    : new UploadCopyCommand(to, new ReadOnlySpan<byte>(from, checked((int)bytes)).ToArray())
            );
        });

    [UnmanagedCallersOnly]
    private static CudaResult MemcpyDtoH(void* to, ulong from, nuint bytes, nint stream) => DriverCall.InContext(context =>
    {
        if (bytes == 0)
        {
            return;
        }

        context.RegionOf(from, (long)bytes, "copy from the device");
        bool locked = context.IsPageLocked((nint)to, (long)bytes);
        if (!locked)
        {
            NoPageable(context, stream);
        }

        EmulatedStream queue = Queue(context, stream, new DownloadCommand((nint)to, from, (long)bytes));
        if (!locked)
        {
            // Into memory that is not page-locked the copy is over when the call returns.
            queue.Run();
        }
    });

    [UnmanagedCallersOnly]
    private static CudaResult MemcpyDtoD(ulong to, ulong from, nuint bytes, nint stream) => DriverCall.InContext(context =>
    {
        if (bytes > 0)
        {
            context.RegionOf(to, (long)bytes, "copy on the device");
            context.RegionOf(from, (long)bytes, "copy on the device");
            Queue(context, stream, new DeviceCopyCommand(to, from, (long)bytes));
        }
    });

    [UnmanagedCallersOnly]
    private static CudaResult MemsetD8(ulong to, byte value, nuint count, nint stream) =>
        DriverCall.InContext(context => Fill(context, to, value, (long)count, 1, stream));

    [UnmanagedCallersOnly]
    private static CudaResult MemsetD32(ulong to, uint value, nuint count, nint stream) =>
        DriverCall.InContext(context =>
            Fill(
                context,
                to % 4 == 0 ? to : throw new DriverException(CudaResult.InvalidValue, $"fill with words at 0x{to:x}, which is no multiple of 4"),
                value,
                (long)count,
                4,
                stream
            )
        );

    private static void Fill(EmulatedContext context, ulong to, uint value, long count, int size, nint stream)
    {
        if (count > 0)
        {
            context.RegionOf(to, count * size, "fill");
            Queue(context, stream, new FillCommand(to, value, count, size));
        }
    }

    private static void NoPageable(EmulatedContext context, nint stream)
    {
        if (DriverCall.Stream(context, stream).Capture is { } session)
        {
            session.Broken ??= "a copy of memory that is not page-locked";
            throw new DriverException(
                CudaResult.StreamCaptureUnsupported,
                "a copy of memory that is not page-locked cannot be recorded: the memory would be read again at every launch"
            );
        }
    }

    /// <summary>Puts work into a stream. The default stream waits for all that are not independent of it, and its work is done at once.</summary>
    private static EmulatedStream Queue(EmulatedContext context, nint handle, StreamCommand command)
    {
        EmulatedStream stream = DriverCall.Stream(context, handle);
        if (stream.Capture is { Broken: { } why })
        {
            throw new DriverException(CudaResult.StreamCaptureInvalidated, $"the recording was broken by {why}");
        }

        if (stream == context.DefaultStream)
        {
            DriverCall.NotWhileRecording(context, "work in the default stream");
            foreach (EmulatedStream other in context.Streams.Where(s => s.IsBlocking))
            {
                other.Run();
            }

            stream.Add(command);
            stream.Run();
        }
        else
        {
            stream.Add(command);
        }

        return stream;
    }
}
