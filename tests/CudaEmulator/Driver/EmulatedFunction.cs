using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Ptx;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.CudaEmulator.Driver;

/// <summary>A kernel of a loaded module.</summary>
internal sealed class EmulatedFunction(EmulatedModule module, PtxFunction ptx) : IDisposable
{
    private KernelCode? _code;
    private nint _handle;

    public EmulatedModule Module { get; } = module;

    public PtxFunction Ptx { get; } = ptx;

    public EmulatedContext Context => Module.Context;

    /// <summary>The number that callers hold; the same every time.</summary>
    public nint Handle => _handle == 0 ? _handle = Handles.Add(this) : _handle;

    /// <summary>Dynamic shared memory that a launch may ask for.</summary>
    public int MaxDynamicShared { get; set; } = EmulatedDevice.SharedDefault;

    /// <summary>The compiled kernel, made when it is first needed.</summary>
    /// <exception cref="DriverException">The code is not consistent.</exception>
    public KernelCode Code
    {
        get
        {
            if (_code is null)
            {
                try
                {
                    _code = KernelBuilder.Build(Module.Ptx, Ptx.Name, Module.AddressOf);
                }
                catch (PtxException error)
                {
                    throw new DriverException(CudaResult.InvalidPtx, $"kernel {Ptx.Name}: {error.Message}");
                }
            }

            return _code;
        }
    }

    /// <summary>Registers of a thread: what the assembler said if its output was seen, else an estimate.</summary>
    public int Registers => Context.AssembledRegisters(Ptx.Name) ?? Math.Min(255, (Code.Registers + 8 + 7) / 8 * 8);

    /// <summary>Most threads of a block: the device's, or what the kernel was compiled for.</summary>
    public int MaxThreads => Ptx.Limits.TryGetValue(".maxntid", out int[]? limit) || Ptx.Limits.TryGetValue(".reqntid", out limit)
        ? Math.Min(1024, limit.Aggregate(1, (product, n) => product * Math.Max(1, n)))
        : 1024;

    /// <summary>An attribute by the driver's number, or null for one that is not known.</summary>
    public int? Attribute(int number) => number switch
    {
        0 => MaxThreads,
        1 => Code.SharedBytes,
        2 => (int)Module.Ptx.Variables.Values.Where(v => v.Space == PtxSpace.Constant).Sum(v => v.Bytes),
        3 => Code.Entry.LocalBytes,
        4 => Registers,
        5 => Module.Ptx.Version,
        6 => Context.Device.Architecture.Number,
        7 => 0,
        8 => MaxDynamicShared,
        9 => -1,
        _ => null,
    };

    /// <summary>Blocks that fit a multiprocessor at once.</summary>
    public int Occupancy(int threads, long dynamicShared)
    {
        EmulatedDevice device = Context.Device;
        if (threads <= 0 || threads > MaxThreads)
        {
            return 0;
        }

        int warps = (threads + 31) / 32;

        // Registers are given out per warp in pieces of 256; from sm_80 on the system takes 1 KiB of shared memory of each block.
        int registers = (Registers * 32 + 255) / 256 * 256 * warps;
        long shared = Code.DynamicSharedOffset + dynamicShared + (device.Architecture.Major >= 8 ? 1024 : 0);
        int blocks = Math.Min(device.BlocksPerMultiprocessor, device.ThreadsPerMultiprocessor / (32 * warps));
        blocks = Math.Min(blocks, registers == 0 ? blocks : EmulatedDevice.RegistersPerMultiprocessor / registers);
        return (int)Math.Min(blocks, shared == 0 ? blocks : device.SharedPerMultiprocessor / shared);
    }

    public void Dispose()
    {
        _code?.Dispose();
        _code = null;
        if (_handle != 0)
        {
            Handles.Remove(_handle);
            _handle = 0;
        }
    }
}
