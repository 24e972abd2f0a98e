using CoGrpo.CudaEmulator;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Backends.Cuda;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.Tests.Cuda;

/// <summary>The shipping backend on an emulated device, with every check on.</summary>
internal static class EmulatedGpu
{
    /// <summary>A backend of its own; by default on an sm_80.</summary>
    public static CudaBackend Backend(ElementType storage = ElementType.Float32, int architecture = 80) =>
        new(new CudaDevice(EmulatedMachine.Driver, Ordinal(architecture)), new CudaBackendOptions { Storage = storage }, TestCompilers.Kernels);

    /// <summary>A device for runs.</summary>
    public static ComputeDevice Device(ElementType storage = ElementType.Float32, int architecture = 80) =>
        ComputeDevice.Cuda(EmulatedMachine.Driver, new CudaBackendOptions { Storage = storage }, Ordinal(architecture), TestCompilers.Kernels);

    private static int Ordinal(int architecture) => EmulatedMachine.OrdinalOf(new CudaArchitecture(architecture / 10, architecture % 10));
}
