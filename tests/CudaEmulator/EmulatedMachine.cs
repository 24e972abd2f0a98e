using CoGrpo.CudaEmulator.Driver;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.CudaEmulator;

/// <summary>
/// The emulated machine of this process: a CUDA driver with six devices, by ordinal sm_80, sm_90, sm_75, sm_70, sm_86 and sm_89. Any number of
/// contexts may be in use on any threads; none sees another.
/// </summary>
public static class EmulatedMachine
{
    [ThreadStatic]
    private static EmulatorOptions? _options;

    private static readonly Lazy<CudaDriver> TheDriver = new(() =>
        new CudaDriver(new CudaDriverFunctions(DriverTable.AddressOf), "emulated", () => DriverCall.LastDetail)
    );

    /// <summary>The driver; host code takes it for that of a machine with GPUs.</summary>
    public static CudaDriver Driver => TheDriver.Value;

    /// <summary>The context that is current on this thread.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public static EmulatedContext CurrentContext =>
        DriverCall.Current is { IsDestroyed: false } context
            ? context
            : throw new InvalidOperationException(
                "emulated context: wanted one that is current on this thread, there is none; create a context or make one current first"
            );

    /// <summary>Options for contexts that this thread creates until the result is disposed.</summary>
    public static IDisposable Configure(EmulatorOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        EmulatorOptions? before = _options;
        _options = options;
        return new Restore(before);
    }

    /// <summary>Number of the device of an architecture.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static int OrdinalOf(CudaArchitecture architecture)
    {
        for (int i = 0; i < EmulatedDevice.All.Count; i++)
        {
            if (EmulatedDevice.All[i].Architecture == architecture)
            {
                return i;
            }
        }

        throw new ArgumentException($"emulated device: wanted one of {string.Join(", ", EmulatedDevice.All.Select(d => d.Architecture))}, got {architecture}; name one of these", nameof(architecture));
    }

    internal static EmulatorOptions OptionsForNext => _options ?? new EmulatorOptions();

    private sealed class Restore(EmulatorOptions? before) : IDisposable
    {
        public void Dispose() => _options = before;
    }
}
