using System.Text;
using CoGrpo.CudaEmulator;
using CoGrpo.Runtime.Cuda;
using CoGrpo.Tests.Cuda;

namespace CoGrpo.Tests.Emulator;

/// <summary>The emulated driver behind the shipping host code: limits, errors, leaks, modules, attributes.</summary>
public unsafe class DriverTests
{
    private const string Source = """
        __device__ int counter = 7;
        __constant__ float table[3] = {1, 2, 3};
        extern "C" __global__ void add(int* p, int n) { int i = blockIdx.x * blockDim.x + threadIdx.x; if (i < n) p[i] += counter; }
        extern "C" __global__ void __launch_bounds__(64) narrow(int* p) { p[threadIdx.x] = 1; }
        extern "C" __global__ void big_shared(int* p) { extern __shared__ int s[]; s[threadIdx.x] = 1; __syncthreads(); p[threadIdx.x] = s[threadIdx.x]; }
        extern "C" __global__ void half_static(int* p) { __shared__ int a[10000]; extern __shared__ int s[]; a[threadIdx.x] = 1; s[threadIdx.x] = 2; p[threadIdx.x] = a[threadIdx.x] + s[threadIdx.x]; }
        extern "C" __global__ void bad(int* p) { p[1 << 20] = 1; }
        """;

    [Fact]
    public void DevicesAreOfSixArchitectures()
    {
        CudaDriver driver = EmulatedMachine.Driver;
        Assert.Equal("emulated", driver.Source);
        Assert.Equal(6, driver.DeviceCount);
        Assert.Equal(
            ["sm_80", "sm_90", "sm_75", "sm_70", "sm_86", "sm_89"],
            Enumerable.Range(0, 6).Select(i => new CudaDevice(driver, i).Architecture.ToString())
        );
        CudaDevice first = new(driver);
        Assert.Equal(108, first.Attribute(CudaDeviceAttribute.MultiprocessorCount));
        Assert.Equal(166912, first.Attribute(CudaDeviceAttribute.MaxSharedMemoryPerBlockOptin));
        Assert.Equal(32, first.Attribute(CudaDeviceAttribute.WarpSize));
        Assert.Throws<CudaException>(() => new CudaDevice(driver, 6));
    }

    [Theory]
    [InlineData(0, 1, 0, "grid")]
    [InlineData(1, 1025, 0, "at most 1024 threads")]
    [InlineData(1, 32, 50000, "dynamic")]
    public void LaunchesBeyondTheLimits(int grid, int block, int shared, string said)
    {
        using DeviceProgram program = new(Source);
        CudaDeviceMemory memory = program.Upload(new int[32]);
        nint function = program.Module.Function("big_shared");
        ulong address = memory.Address;
        void* pointer = &address;
        CudaResult result = program.Context.Driver.Functions.cuLaunchKernel(
            function,
            (uint)grid,
            1,
            1,
            (uint)block,
            1,
            1,
            (uint)shared,
            program.Stream.Handle,
            &pointer,
            null
        );
        Assert.Equal(CudaResult.InvalidValue, result);
        CudaException error = Assert.Throws<CudaException>(() => program.Context.Driver.Check(result, "launching"));
        Assert.Contains(said, error.Message, StringComparison.Ordinal);

        // A refused launch leaves the context in order.
        program.Launch("add", 1, 32, memory, 32);
        Assert.All(program.Read<int>(memory), value => Assert.Equal(7, value));
    }

    [Fact]
    public void LaunchBoundsAndSharedMemoryAreKept()
    {
        using DeviceProgram program = new(Source);
        CudaDeviceMemory memory = program.Allocate<int>(1024);
        Assert.Throws<CudaException>(() => program.Launch("narrow", 1, 65, memory));
        program.Launch("narrow", 1, 64, memory);
        program.Launch("big_shared", new Dim3(1), new Dim3(64), 160 << 10, memory);
        Assert.Throws<CudaException>(() => program.Launch("big_shared", new Dim3(1), new Dim3(64), 164 << 10, memory));
        program.Launch("half_static", new Dim3(1), new Dim3(64), 4 << 10, memory);
        Assert.All(program.Read<int>(memory, 64), value => Assert.Equal(3, value));
        Assert.Throws<CudaException>(() => program.Launch("half_static", new Dim3(1), new Dim3(64), 16 << 10, memory));
    }

    [Fact]
    public void OutOfMemoryNamesSizes()
    {
        using DeviceProgram program = new(Source, options: new EmulatorOptions { MemoryBytes = 1 << 20 });
        using CudaDeviceMemory most = new(program.Context, 900_000);
        CudaException error = Assert.Throws<CudaException>(() => new CudaDeviceMemory(program.Context, 200_000, "the test"));
        Assert.Equal(CudaResult.OutOfMemory, error.Result);
        Assert.Contains("the test: wanted 1 MiB", error.Message, StringComparison.Ordinal);
        (long free, long total) = program.Context.Memory;
        Assert.Equal(1 << 20, total);
        Assert.True(free < 200_000);
    }

    [Fact]
    public void AFaultLosesTheContextAndOnlyThatOne()
    {
        using DeviceProgram other = new(Source);
        using DeviceProgram program = new(Source);
        CudaDeviceMemory memory = program.Upload(new int[32]);
        program.Launch("bad", 1, 1, memory);
        CudaException first = Assert.Throws<CudaException>(program.Stream.Synchronize);
        Assert.Equal(CudaResult.IllegalAddress, first.Result);
        Assert.Contains("kernel bad, test.cu:7", first.Message, StringComparison.Ordinal);
        Assert.Equal(CudaResult.IllegalAddress, Assert.Throws<CudaException>(() => program.Launch("add", 1, 32, memory, 32)).Result);
        Assert.Equal(CudaResult.IllegalAddress, Assert.Throws<CudaException>(() => new CudaDeviceMemory(program.Context, 4)).Result);
        Assert.Equal(CudaResult.IllegalAddress, Assert.Throws<CudaException>(program.Context.Synchronize).Result);
        CudaDeviceMemory fine = other.Upload(new int[32]);
        other.Launch("add", 1, 32, fine, 32);
        Assert.Equal(7, other.Read<int>(fine)[31]);
    }

    [Fact]
    public void AddressesOfAnotherContextAreStrayOnes()
    {
        using DeviceProgram other = new(Source);
        CudaDeviceMemory theirs = other.Upload(new int[32]);
        using DeviceProgram program = new(Source);
        Violation violation = program.Fails(() => program.Launch("add", 1, 32, theirs.Address, 32));
        Assert.Equal(ViolationKind.OutOfBounds, violation.Kind);
    }

    [Fact]
    public void WorkWaitsUntilSomethingWaitsForIt()
    {
        using DeviceProgram program = new(Source);
        using CudaHostMemory host = new(program.Context, 128);
        int* numbers = (int*)host.Address;
        for (int i = 0; i < 32; i++)
        {
            numbers[i] = i;
        }

        CudaDeviceMemory memory = program.Allocate<int>(32);
        program.Stream.CopyToDevice(host.Address, memory.Address, 128);
        numbers[5] = 1000;
        program.Launch("add", 1, 32, memory, 32);
        program.Stream.CopyToHost(memory.Address, host.Address, 128);
        Assert.Equal(1000, numbers[5]);
        program.Stream.Synchronize();

        // The copy read page-locked memory when it ran, not when it was asked for.
        Assert.Equal(1007, numbers[5]);
        Assert.Equal(38, numbers[31]);
        using CudaEvent start = new(program.Context);
        using CudaEvent end = new(program.Context);
        start.Record(program.Stream);
        program.Launch("add", 1, 32, memory, 32);
        end.Record(program.Stream);
        Assert.Throws<CudaException>(() => end.MillisecondsSince(start));
        end.Synchronize();
        Assert.True(end.MillisecondsSince(start) >= 0);
        using CudaStream second = new(program.Context);
        program.Launch("add", 1, 32, memory, 32);
        end.Record(program.Stream);
        second.Wait(end);
        second.CopyToHost(memory.Address, host.Address, 128);
        second.Synchronize();
        Assert.Equal(21, numbers[0]);
    }

    [Fact]
    public void ImmediateContextsRunAtOnce()
    {
        using DeviceProgram program = new(Source, options: new EmulatorOptions { Immediate = true });
        CudaDeviceMemory memory = program.Upload(new int[4]);
        Assert.Equal(CudaResult.IllegalAddress, Assert.Throws<CudaException>(() => program.Launch("bad", 1, 1, memory)).Result);
    }

    [Fact]
    public void Modules()
    {
        using DeviceProgram program = new(Source);
        NvrtcOutput compiled = TestNvrtc.Compile(Source);
        Assert.Null(CudaModule.ForThisDevice(program.Context, "binary", compiled.Cubin));
        Assert.Equal(
            CudaResult.InvalidImage,
            Assert
                .Throws<CudaException>(() =>
                    new CudaModule(program.Context, "damaged", compiled.Cubin.AsSpan(0, 40).ToArray().Concat(new byte[100]).ToArray())
                )
                .Result
        );
        Assert.Equal(
            CudaResult.InvalidImage,
            Assert.Throws<CudaException>(() => new CudaModule(program.Context, "text", "no module at all"u8)).Result
        );
        Assert.Equal(
            CudaResult.InvalidPtx,
            Assert.Throws<CudaException>(() => new CudaModule(program.Context, "later", TestNvrtc.Compile(Source, "sm_90").Ptx)).Result
        );
        Assert.Equal(
            CudaResult.UnsupportedPtxVersion,
            Assert
                .Throws<CudaException>(() =>
                    new CudaModule(program.Context, "newer", Encoding.UTF8.GetBytes(".version 8.7\n.target sm_80\n.address_size 64\n"))
                )
                .Result
        );
        CudaException broken = Assert.Throws<CudaException>(() =>
            new CudaModule(
                program.Context,
                "broken",
                Encoding.UTF8.GetBytes(".version 8.0\n.target sm_80\n.address_size 64\n.visible .entry k()\n{\n  mov.u32 %r1 5;\n}\n")
            )
        );
        Assert.Contains("PTX line 6", broken.Message, StringComparison.Ordinal);
        Assert.Equal(CudaResult.NotFound, Assert.Throws<CudaException>(() => program.Module.Function("nothing")).Result);
        Assert.Equal(CudaResult.NotFound, Assert.Throws<CudaException>(() => program.Module.Global("nothing")).Result);

        // Variables have their first values in every module, and keep what is written to them.
        (ulong address, long bytes) = program.Module.Global("counter");
        Assert.Equal(4, bytes);
        program.Stream.Fill(address, 100, 1);
        CudaDeviceMemory memory = program.Upload(new int[2]);
        program.Launch("add", 1, 2, memory, 2);
        using CudaModule again = new(program.Context, "again", compiled.Ptx);
        Assert.NotEqual(address, again.Global("counter").Address);
        Assert.Equal([100, 100], program.Read<int>(memory));
        Assert.Equal(12, again.Global("table").Bytes);
    }

    [Fact]
    public void KernelAttributes()
    {
        NvrtcOutput compiled = TestNvrtc.Compile(Source);
        using DeviceProgram program = new(Source);
        Assert.Null(CudaModule.ForThisDevice(program.Context, "binary", compiled.Cubin));
        foreach (KernelResources resources in compiled.Resources())
        {
            CudaKernel<int> kernel = new(program.Module, resources.Kernel);
            Assert.Equal(resources.Registers, kernel.Registers);
            Assert.Equal(resources.SharedBytes, kernel.SharedBytes);
            Assert.Equal(resources.StackBytes, kernel.LocalBytes);
        }

        CudaKernel<int> add = new(program.Module, "add");
        Assert.Equal(16, add.Occupancy(128, 0));
        Assert.Equal(2, add.Occupancy(1024, 0));
        Assert.Equal(3, add.Occupancy(64, 48 << 10));
    }

    [Fact]
    public void WhatIsLeftIsReported()
    {
        CudaContext context = new(new CudaDevice(EmulatedMachine.Driver));
        _ = new CudaDeviceMemory(context, 1234);
        _ = new CudaStream(context);
        _ = new CudaEvent(context);
        _ = new CudaHostMemory(context, 77);
        _ = new CudaModule(context, "left", TestNvrtc.Compile(Source).Ptx);
        CudaException error = Assert.Throws<CudaException>(context.Dispose);
        foreach (string part in (string[])["leak", "of 1234 bytes", "page-locked memory of 77 bytes", "1 stream", "1 event", "1 module"])
        {
            Assert.Contains(part, error.Message, StringComparison.Ordinal);
        }

        using (EmulatedMachine.Configure(new EmulatorOptions { Checks = EmulatorCheck.All & ~EmulatorCheck.Leaks }))
        {
            CudaContext careless = new(new CudaDevice(EmulatedMachine.Driver));
            _ = new CudaDeviceMemory(careless, 1234);
            careless.Dispose();
        }
    }

    [Fact]
    public void WildAndDoubleFrees()
    {
        using DeviceProgram program = new(Source);
        CudaDriverFunctions functions = program.Context.Driver.Functions;
        ulong address = 0;
        Assert.Equal(CudaResult.Success, functions.cuMemAlloc_v2(&address, 64));
        Assert.Equal(CudaResult.InvalidValue, functions.cuMemFree_v2(address + 8));
        Assert.Equal(CudaResult.Success, functions.cuMemFree_v2(address));
        CudaResult twice = functions.cuMemFree_v2(address);
        Assert.Equal(CudaResult.InvalidValue, twice);
        Assert.Contains(
            "was freed before",
            Assert.Throws<CudaException>(() => program.Context.Driver.Check(twice, "freeing")).Message,
            StringComparison.Ordinal
        );
        CudaDeviceMemory small = program.Allocate<int>(4);
        Assert.Contains(
            "run over the end",
            Assert.Throws<CudaException>(() => program.Stream.Fill(small.Address, 0, 5)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void UnknownInstructionsAreNamedWhenTheyAreExecuted()
    {
        const string Ptx = """
            .version 8.0
            .target sm_80
            .address_size 64
            .visible .entry odd(.param .u32 odd_param_0)
            {
                .reg .pred %p<2>;
                .reg .b32 %r<4>;
                ld.param.u32 %r1, [odd_param_0];
                setp.eq.s32 %p1, %r1, 0;
                @%p1 bra $L_end;
                frobnicate.b32 %r2, %r1;
            $L_end:
                ret;
            }
            """;
        using DeviceProgram program = DeviceProgram.FromPtx(Ptx);
        program.Launch("odd", 1, 32, 0);
        program.Stream.Synchronize();
        Violation violation = program.Fails(() => program.Launch("odd", 1, 32, 1));
        Assert.Equal(ViolationKind.NotSupported, violation.Kind);
        Assert.Contains("frobnicate.b32 of PTX line 11", violation.Text, StringComparison.Ordinal);
    }
}
