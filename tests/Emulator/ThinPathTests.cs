using CoGrpo.CudaEmulator;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends.Cuda;
using CoGrpo.Runtime.Cuda;
using CoGrpo.Tests.Cuda;

namespace CoGrpo.Tests.Emulator;

/// <summary>The shipping backend on the emulated device, end to end: compiler, driver, arena, kernels, copies.</summary>
public class ThinPathTests
{
    [Theory]
    [InlineData(ElementType.Float32, "sm_80")]
    [InlineData(ElementType.BFloat16, "sm_80")]
    [InlineData(ElementType.Float32, "sm_70")]
    [InlineData(ElementType.BFloat16, "sm_90")]
    public void BackendRunsOnTheEmulatedDevice(ElementType storage, string architecture)
    {
        CudaDevice device = new(EmulatedMachine.Driver, EmulatedMachine.OrdinalOf(CudaArchitecture.Parse(architecture)));
        using CudaBackend backend = new(device, new CudaBackendOptions { Storage = storage }, TestNvrtc.Kernels);
        using Arena arena = backend.CreateArena("test", 1 << 20);
        const int Rows = 33;
        const int Columns = 65;
        Tensor x = arena.Allocate(new Shape(Rows, Columns), storage);
        Tensor weight = arena.Allocate(new Shape(Columns), storage);
        Tensor y = arena.Allocate(new Shape(Rows, Columns), storage);
        Tensor rstd = arena.Allocate(new Shape(Rows));
        Tensor dx = arena.Allocate(new Shape(Rows, Columns), storage);
        Tensor dweight = arena.Allocate(new Shape(Columns));
        backend.Fill(x, 1.5f);
        backend.Fill(weight, 2);
        backend.Fill(dweight, 0);
        backend.RmsNorm(x, weight, y, rstd, 0);
        backend.RmsNormBackward(y, x, weight, rstd, dx, false, dweight);
        float[] sums = new float[Columns];
        backend.Download<float>(dweight, sums);

        // x · rstd is 1, y is 2, so each row adds 2.
        Assert.All(sums, sum => Assert.Equal(2 * Rows, sum, 1e-4f));
    }
}
