using CoGrpo.Runtime.Cuda;

namespace CoGrpo.CudaEmulator.Driver;

/// <summary>What a device refuses to launch.</summary>
internal static class LaunchLimits
{
    /// <exception cref="DriverException">The launch exceeds a limit of the device or the kernel.</exception>
    public static void Check(EmulatedFunction function, Dim3 grid, Dim3 block, uint sharedBytes, bool cooperative)
    {
        string name = function.Ptx.Name;
        if (grid.X == 0 || grid.Y == 0 || grid.Z == 0 || grid.X > int.MaxValue || grid.Y > 65535 || grid.Z > 65535)
        {
            throw new DriverException(CudaResult.InvalidValue, $"kernel {name}: grid {grid}, wanted 1 to (2147483647,65535,65535)");
        }

        if (block.X == 0 || block.Y == 0 || block.Z == 0 || block.X > 1024 || block.Y > 1024 || block.Z > 64 || block.Count > 1024)
        {
            throw new DriverException(CudaResult.InvalidValue, $"kernel {name}: block {block}, wanted 1 to (1024,1024,64) and at most 1024 threads");
        }

        if (block.Count > function.MaxThreads)
        {
            throw new DriverException(
                CudaResult.InvalidValue,
                $"kernel {name}: block {block}, it was compiled for at most {function.MaxThreads} threads (__launch_bounds__)"
            );
        }

        if (
            function.Ptx.Limits.TryGetValue(".reqntid", out int[]? wanted)
            && (block.X != wanted[0] || (wanted.Length > 1 && block.Y != wanted[1]) || (wanted.Length > 2 && block.Z != wanted[2]))
        )
        {
            throw new DriverException(
                CudaResult.InvalidValue,
                $"kernel {name}: block {block}, it was compiled for ({string.Join(',', wanted)}) only"
            );
        }

        EmulatedDevice device = function.Context.Device;
        long shared = (sharedBytes > 0 ? function.Code.DynamicSharedOffset : function.Code.SharedBytes) + (long)sharedBytes;
        if (
            sharedBytes > function.MaxDynamicShared
            || (
                shared > EmulatedDevice.SharedDefault
                && function.MaxDynamicShared <= EmulatedDevice.SharedDefault
                && sharedBytes > 0
                && shared > device.SharedOptIn
            )
            || (function.MaxDynamicShared == EmulatedDevice.SharedDefault && shared > EmulatedDevice.SharedDefault)
        )
        {
            throw new DriverException(CudaResult.InvalidValue,
                $"kernel {name}: {sharedBytes} bytes of dynamic and {function.Code.SharedBytes} of static shared memory; {function.MaxDynamicShared} dynamic ones are allowed, {EmulatedDevice.SharedDefault} in all without opting in");
        }

        int warps = ((int)block.Count + 31) / 32;
        if (
            (function.Registers * 32 + 255) / 256 * 256 * warps > EmulatedDevice.RegistersPerMultiprocessor
            && function.Context.AssembledRegisters(name) is { } registers
        )
        {
            throw new DriverException(
                CudaResult.LaunchOutOfResources,
                $"kernel {name}: {block.Count} threads of {registers} registers, a block has {EmulatedDevice.RegistersPerMultiprocessor}"
            );
        }

        long resident = (long)function.Occupancy((int)block.Count, sharedBytes) * device.Multiprocessors;
        if (cooperative && grid.Count > resident)
        {
            throw new DriverException(
                DriverErrors.CooperativeLaunchTooLarge,
                $"kernel {name}: {grid.Count} blocks, a cooperative launch has room for {resident}"
            );
        }
    }
}
