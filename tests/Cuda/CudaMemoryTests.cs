using System.Runtime.InteropServices;
using CoGrpo.CudaEmulator;
using CoGrpo.CudaEmulator.Driver;
using CoGrpo.Model.TextToImage;
using CoGrpo.Rl.Pretraining;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Runtime.Backends.Cuda;
using CoGrpo.Runtime.Backends.Plan;
using CoGrpo.Runtime.Cuda;
using CoGrpo.Tests.Rl;
using CoGrpo.Tests.Rl.Planning;

namespace CoGrpo.Tests.Cuda;

/// <summary>
/// Memory of the device: what a run takes is what the plan of it says, a warm run takes nothing more, and a device that is full says so in one line.
/// </summary>
public sealed class CudaMemoryTests
{
    /// <summary>Launches that were taken and not carried out; null while they are carried out.</summary>
    [ThreadStatic]
    private static int? _counted;

    [Theory]
    [InlineData(false, 3)]
    [InlineData(true, 2)]
    public void ATrainingStepTakesWhatItsPlanSays(bool downsample, int microBatch)
    {
        var options = new PretrainingOptions { Steps = 100, Batch = 4, MicroBatch = microBatch, Lanes = 1, RecomputeBlocks = downsample };
        MemoryLedger onDevice = Train(EmulatedGpu.Backend(), options, downsample), onCpu = Train(new CpuBackend(1), options, downsample),
            planned = Train(new PlanBackend(), options, downsample);
        Assert.True(planned.PeakBytes > 1 << 20);
        Assert.Equal(planned.PeakBytes, onDevice.PeakBytes);
        Assert.Equal(planned.Arenas, onDevice.Arenas);
        Assert.Equal(planned.Arenas, onCpu.Arenas.Where(entry => entry.Arena != "workspace"));
        Assert.All(onDevice.Arenas, entry => Assert.Equal(0, entry.ReservedBytes));
    }

    [Fact]
    public void HalfPrecisionTakesWhatItsPlanSays()
    {
        var options = new PretrainingOptions
        {
            Steps = 100,
            Batch = 4,
            MicroBatch = 2,
            Lanes = 1,
        };
        Assert.Equal(
            Train(new PlanBackend(ElementType.BFloat16), options, false).Arenas,
            Train(EmulatedGpu.Backend(ElementType.BFloat16), options, false).Arenas
        );
    }

    [Theory]
    [InlineData(ElementType.Float32, 1)]
    [InlineData(ElementType.BFloat16, 2)]
    public void AnIterationOfEachPhaseTakesWhatItsPlanSays(ElementType storage, int number)
    {
        PlannedIteration iteration = RunPlanTests.Iterations[number] with { Steps = 2 };
        (IReadOnlyList<MemoryLedger> planned, long plannedWorkspace) = iteration.On(
            ComputeDevice.Plan(storage, replicates: false, new() { Guidance = 2 })
        );
        (IReadOnlyList<MemoryLedger> onDevice, long workspace) = iteration.On(EmulatedGpu.Device(storage));
        Assert.Equal(Assert.Single(onDevice).Arenas, Assert.Single(planned).Arenas);
        Assert.Equal(onDevice[0].PeakBytes, planned[0].PeakBytes);
        Assert.Equal(workspace, plannedWorkspace);
    }

    /// <summary>Counted between the caller and the driver: a driver that takes launches and does nothing.</summary>
    [Fact]
    public unsafe void WarmOperationsAllocateNothing()
    {
        var driver = new CudaDriver(
            new CudaDriverFunctions(name => name == "cuLaunchKernel" ? LaunchOrCount() : DriverTable.AddressOf(name)),
            "emulated",
            null
        );
        using CudaBackend backend = new(new CudaDevice(driver, 0), new CudaBackendOptions(), TestCompilers.Kernels);
        using Arena arena = backend.CreateArena("test", 1 << 20);
        Tensor x = arena.Allocate(new Shape(64, 64)), w = arena.Allocate(new Shape(64, 64)), y = arena.Allocate(new Shape(64, 64));
        Tensor r = arena.Allocate(new Shape(64)), weight = arena.Allocate(new Shape(64)), dweight = arena.Allocate(new Shape(64));
        foreach (Tensor tensor in new[] { x, w, y, r, weight, dweight })
        {
            backend.Fill(tensor, 1);
        }

        void Work()
        {
            backend.Linear(x, w, default, y, activation: Activation.GeluErf, residual: x);
            backend.RmsNorm(y, weight, x, r, 1e-6f);
            backend.RmsNormBackward(y, x, weight, r, y, false, dweight);
            backend.Add(x, y, y);
        }

        Work();
        (long held, long workspace) = (backend.Memory.ReservedBytes, backend.WorkspaceBytes);
        _counted = 0;
        Work();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 50; i++)
        {
            Work();
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.True(_counted >= 51 * 4, $"{_counted} launches");
        _counted = null;
        Assert.Equal((held, workspace), (backend.Memory.ReservedBytes, backend.WorkspaceBytes));
    }

    [Fact]
    public void AFullDeviceIsOneLineThatNamesTheArena()
    {
        using CudaBackend backend = EmulatedBackend.Create(EmulatedBackend.Sm80, ElementType.Float32, new EmulatorOptions { MemoryBytes = 64 << 20 });
        using Arena arena = backend.CreateArena("activations", 1 << 20);
        OutOfMemoryException error = Assert.Throws<OutOfMemoryException>(() => arena.Allocate(new Shape(1 << 25)));
        Assert.StartsWith("arena activations: ", error.Message, StringComparison.Ordinal);
        Assert.Contains("128 MiB", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        Assert.Equal(0, backend.Memory.ReservedBytes);

        // The device is as before.
        Tensor x = arena.Allocate(new Shape(4));
        backend.Fill(x, 3);
        float[] values = new float[4];
        backend.Download<float>(x, values);
        Assert.Equal([3f, 3, 3, 3], values);
    }

    private static MemoryLedger Train(IBackend backend, PretrainingOptions options, bool downsample)
    {
        using (backend)
        {
            using var model = new TextToImageModel(TinyRun.Transformer(downsample), TinyRun.Text(), backend);
            using var trainer = new Pretrainer(model, new TinyWorld(downsample ? 16 : 8), options, 1, () => backend);
            trainer.Train();
            trainer.Train();
        }

        return backend.Memory;
    }

    private static unsafe nint LaunchOrCount() =>
        (nint)(delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, CudaResult>)&LaunchOrCount;

    [UnmanagedCallersOnly]
    private static unsafe CudaResult LaunchOrCount(
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
    )
    {
        if (_counted is null)
        {
            return EmulatedMachine.Driver.Functions.cuLaunchKernel(
                function,
                gridX,
                gridY,
                gridZ,
                blockX,
                blockY,
                blockZ,
                sharedBytes,
                stream,
                parameters,
                extra
            );
        }

        _counted++;
        return CudaResult.Success;
    }
}
