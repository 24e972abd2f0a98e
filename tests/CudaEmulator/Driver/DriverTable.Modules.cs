using System.Runtime.InteropServices;
using System.Text;
using CoGrpo.CudaEmulator.Memory;
using CoGrpo.CudaEmulator.Ptx;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.CudaEmulator.Driver;

/// <summary>Modules, kernels and launches.</summary>
internal static unsafe partial class DriverTable
{
    private const uint FatBinary = 0xBA55ED50;

    [UnmanagedCallersOnly]
    private static CudaResult ModuleLoad(nint* module, void* image, uint options, int* names, void** values) => DriverCall.InContext(context =>
    {
        DriverCall.NotWhileRecording(context, "loading a module");
        if (Cubin.IsCubin((byte*)image))
        {
            context.NoteAssembled(Cubin.Kernels((byte*)image));
            throw new DriverException(CudaResult.NoBinaryForGpu, "the image is a binary; the emulated device executes PTX");
        }

        if (*(uint*)image == FatBinary)
        {
            throw new DriverException(CudaResult.NoBinaryForGpu, "the image is a fat binary; the emulated device executes PTX");
        }

        string? text = Marshal.PtrToStringUTF8((nint)image);
        if (text is null || !text.AsSpan(0, Math.Min(text.Length, 4096)).Contains(".version", StringComparison.Ordinal))
        {
            throw new DriverException(CudaResult.InvalidImage, "the image is neither a binary nor PTX");
        }

        EmulatedModule made = new(context, text);
        context.Own(made);
        *module = Handles.Add(made);
    });

    [UnmanagedCallersOnly]
    private static CudaResult ModuleUnload(nint module) => DriverCall.Freeing(context =>
    {
        DriverCall.NotWhileRecording(context, "unloading a module");
        EmulatedModule ended = DriverCall.Object<EmulatedModule>(module);
        context.RunAll();
        ended.Dispose();
        context.Disown(ended);
        Handles.Remove(module);
    });

    [UnmanagedCallersOnly]
    private static CudaResult ModuleGetFunction(nint* function, nint module, byte* name) => DriverCall.InContext(_ =>
    {
        EmulatedModule from = DriverCall.Object<EmulatedModule>(module);
        string text = Marshal.PtrToStringUTF8((nint)name)!;
        EmulatedFunction found = from.Function(text)
            ?? throw new DriverException(CudaResult.NotFound, $"the module has no kernel {text}; it has {string.Join(", ", from.Ptx.Functions.Values.Where(f => f.IsKernel).Select(f => f.Name).DefaultIfEmpty("none"))}");
        *function = found.Handle;
    });

    [UnmanagedCallersOnly]
    private static CudaResult ModuleGetGlobal(ulong* address, nuint* bytes, nint module, byte* name) => DriverCall.InContext(_ =>
    {
        EmulatedModule from = DriverCall.Object<EmulatedModule>(module);
        string text = Marshal.PtrToStringUTF8((nint)name)!;
        Region* region = from.Variable(text);
        if (region == null)
        {
            throw new DriverException(CudaResult.NotFound, $"the module has no variable {text}");
        }

        if (address != null)
        {
            *address = region->Start;
        }

        if (bytes != null)
        {
            *bytes = (nuint)region->Bytes;
        }
    });

    [UnmanagedCallersOnly]
    private static CudaResult FuncGetAttribute(int* value, CudaFunctionAttribute attribute, nint function) => DriverCall.InContext(_ =>
        *value = DriverCall.Object<EmulatedFunction>(function).Attribute((int)attribute)
            ?? throw new DriverException(CudaResult.InvalidValue, $"kernel attribute {(int)attribute} is not known to the emulated driver"));

    [UnmanagedCallersOnly]
    private static CudaResult FuncSetAttribute(nint function, CudaFunctionAttribute attribute, int value) => DriverCall.InContext(context =>
    {
        EmulatedFunction kernel = DriverCall.Object<EmulatedFunction>(function);
        switch ((int)attribute)
        {
            case 8:
                int most = context.Device.SharedOptIn - kernel.Code.DynamicSharedOffset;
                if (value < 0 || value > most)
                {
                    throw new DriverException(CudaResult.InvalidValue,
                        $"kernel {kernel.Ptx.Name}: wanted at most {most} bytes of dynamic shared memory beside {kernel.Code.SharedBytes} static ones on {context.Device.Architecture}, got {value}");
                }

                kernel.MaxDynamicShared = value;
                break;
            case 9:
                break;
            default:
                throw new DriverException(CudaResult.InvalidValue, $"kernel attribute {(int)attribute} cannot be set");
        }
    });

    [UnmanagedCallersOnly]
    private static CudaResult Occupancy(int* blocks, nint function, int threads, nuint sharedBytes) =>
        DriverCall.InContext(_ => *blocks = DriverCall.Object<EmulatedFunction>(function).Occupancy(threads, (long)sharedBytes));

    [UnmanagedCallersOnly]
    private static CudaResult LaunchKernel(
        nint function,
        uint gridX,
        uint gridY,
        uint gridZ,
        uint blockX,
        uint blockY,
        uint blockZ,
        uint sharedBytes,
        nint stream,
        void** parameters,
        void** extra
    ) =>
        DriverCall.InContext(context =>
            Launch(context, function, new Dim3(gridX, gridY, gridZ), new Dim3(blockX, blockY, blockZ), sharedBytes, stream, parameters, extra, false)
        );

    [UnmanagedCallersOnly]
    private static CudaResult LaunchCooperativeKernel(
        nint function,
        uint gridX,
        uint gridY,
        uint gridZ,
        uint blockX,
        uint blockY,
        uint blockZ,
        uint sharedBytes,
        nint stream,
        void** parameters
    ) =>
        DriverCall.InContext(context =>
            Launch(context, function, new Dim3(gridX, gridY, gridZ), new Dim3(blockX, blockY, blockZ), sharedBytes, stream, parameters, null, true)
        );

    private static void Launch(
        EmulatedContext context,
        nint handle,
        Dim3 grid,
        Dim3 block,
        uint sharedBytes,
        nint stream,
        void** parameters,
        void** extra,
        bool cooperative
    )
    {
        EmulatedFunction function = DriverCall.Object<EmulatedFunction>(handle);
        if (function.Context != context)
        {
            throw new DriverException(CudaResult.InvalidHandle, $"kernel {function.Ptx.Name} belongs to another context");
        }

        LaunchLimits.Check(function, grid, block, sharedBytes, cooperative);
        Queue(context, stream, new KernelCommand(function, grid, block, (int)sharedBytes, Arguments(function.Ptx, parameters, extra), cooperative));
    }

    private static byte[] Arguments(PtxFunction kernel, void** parameters, void** extra)
    {
        long bytes = 0;
        foreach (PtxVariable parameter in kernel.Parameters)
        {
            bytes = ((bytes + parameter.Alignment - 1) / parameter.Alignment * parameter.Alignment) + parameter.Bytes;
        }

        byte[] buffer = new byte[bytes];
        if (parameters == null && extra != null)
        {
            // 1: address, 2: address of the size, 0: end.
            void* from = null;
            long size = 0;
            for (void** entry = extra; *entry != null; entry += 2)
            {
                from = (nint)entry[0] == 1 ? entry[1] : from;
                size = (nint)entry[0] == 2 ? (long)*(nuint*)entry[1] : size;
            }

            new ReadOnlySpan<byte>(from, (int)Math.Min(size, bytes)).CopyTo(buffer);
            return buffer;
        }

        if (parameters == null && kernel.Parameters.Count > 0)
        {
            throw new DriverException(CudaResult.InvalidValue, $"kernel {kernel.Name} has {kernel.Parameters.Count} parameters, none were given");
        }

        long offset = 0;
        for (int i = 0; i < kernel.Parameters.Count; i++)
        {
            PtxVariable parameter = kernel.Parameters[i];
            offset = (offset + parameter.Alignment - 1) / parameter.Alignment * parameter.Alignment;
            new ReadOnlySpan<byte>(parameters[i], (int)parameter.Bytes).CopyTo(buffer.AsSpan((int)offset));
            offset += parameter.Bytes;
        }

        return buffer;
    }
}
