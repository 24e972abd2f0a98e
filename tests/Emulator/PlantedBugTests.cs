using CoGrpo.CudaEmulator;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.Tests.Emulator;

/// <summary>
/// Small kernels with one bug each, planted where the macro BUG makes a difference: with it the right check must speak up and name the right
/// kernel, line and thread; without it nothing may be said and the result must be right.
/// </summary>
public class PlantedBugTests
{
    /// <summary>Name, kind of violation, grid, block, shared bytes; the source has «//!» on the line to be named.</summary>
    public static TheoryData<string, ViolationKind, int, int> Bugs => new()
    {
        { "missing_barrier", ViolationKind.Race, 1, 64 },
        { "missing_syncwarp", ViolationKind.Race, 1, 32 },
        { "off_by_one", ViolationKind.OutOfBounds, 4, 32 },
        { "below_the_start", ViolationKind.OutOfBounds, 1, 32 },
        { "shared_overrun", ViolationKind.OutOfBounds, 1, 64 },
        { "local_overrun", ViolationKind.OutOfBounds, 1, 32 },
        { "unwritten_global", ViolationKind.Uninitialised, 1, 32 },
        { "unwritten_shared", ViolationKind.Uninitialised, 1, 64 },
        { "unwritten_local", ViolationKind.Uninitialised, 1, 32 },
        { "race_between_blocks", ViolationKind.Race, 8, 32 },
        { "race_in_global", ViolationKind.Race, 1, 128 },
        { "lost_update", ViolationKind.Race, 1, 96 },
        { "neighbouring_bytes", ViolationKind.Race, 1, 64 },
        { "unfenced_flag", ViolationKind.Race, 2, 32 },
        { "no_fence_before_ticket", ViolationKind.Race, 8, 64 },
        { "misaligned", ViolationKind.Misaligned, 1, 32 },
        { "divergent_barrier", ViolationKind.DivergentBarrier, 1, 64 },
        { "half_warp_barrier", ViolationKind.DivergentBarrier, 1, 64 },
        { "shuffle_without_lane", ViolationKind.DivergentWarp, 1, 32 },
        { "shuffle_of_stranger", ViolationKind.DivergentWarp, 1, 32 },
        { "endless", ViolationKind.InstructionLimit, 1, 32 },
        { "copy_without_wait", ViolationKind.AsyncCopyInFlight, 1, 32 },
        { "copy_without_barrier", ViolationKind.Race, 1, 64 },
        { "overwritten_while_copying", ViolationKind.AsyncCopyInFlight, 1, 32 },
        { "stale_read_only", ViolationKind.StaleReadOnlyLoad, 1, 32 },
        { "trap_when_wrong", ViolationKind.Trap, 1, 32 },
        { "ldmatrix_odd_row", ViolationKind.Misaligned, 1, 32 },
        { "mma_in_half_a_warp", ViolationKind.DivergentWarp, 1, 32 },
        { "double_buffer_too_early", ViolationKind.Race, 1, 64 },
    };

    [Theory]
    [MemberData(nameof(Bugs))]
    public void IsFound(string name, ViolationKind kind, int grid, int block)
    {
        string source = PlantedBugs.Sources[name];
        using DeviceProgram program = new(source, options: new EmulatorOptions { InstructionLimit = 100_000 }, compilerOptions: "-DBUG=1");
        CudaDeviceMemory data = Data(program);
        CudaDeviceMemory output = program.Allocate<float>(PlantedBugs.Elements);
        Violation violation = program.Fails(() => program.Launch(name, grid, block, data, output, PlantedBugs.Elements));
        Assert.Equal(kind, violation.Kind);
        Assert.Equal(name, violation.Kernel);
        Assert.Equal("test.cu", violation.File);
        int[] marked =
        [
            .. source.Split('\n').Select((line, i) => (line, i)).Where(l => l.line.Contains("//!", StringComparison.Ordinal)).Select(l => l.i + 1),
        ];
        Assert.Contains(violation.Line, marked);
        Assert.True(violation.Thread.X < block && violation.Block.X < grid, violation.ToString());
        Assert.Contains($"kernel {name}", violation.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Bugs))]
    public void IsNotFoundWhereThereIsNone(string name, ViolationKind kind, int grid, int block)
    {
        Assert.NotEqual(default, (name, kind));
        foreach (bool old in (bool[])[false, true])
        {
            using DeviceProgram program = new(PlantedBugs.Sources[name], old: old, options: new EmulatorOptions { InstructionLimit = 1_000_000 });
            CudaDeviceMemory data = Data(program);
            CudaDeviceMemory output = program.Allocate<float>(PlantedBugs.Elements);
            program.Launch(name, grid, block, data, output, PlantedBugs.Elements);
            program.Stream.Synchronize();
            Assert.Null(program.Emulated.Violation);
        }
    }

    [Fact]
    public void ReportNamesThreadAddressAndAllocation()
    {
        using DeviceProgram program = new(PlantedBugs.Sources["off_by_one"], compilerOptions: "-DBUG=1");
        CudaDeviceMemory data = Data(program);
        CudaDeviceMemory output = program.Allocate<float>(PlantedBugs.Elements);
        Violation violation = program.Fails(() => program.Launch("off_by_one", 4, 32, data, output, PlantedBugs.Elements));
        Assert.Equal((3u, 0u, 0u), violation.Block);
        Assert.Equal((4u, 0u, 0u), violation.Thread);
        Assert.Equal(output.Address + (4 * PlantedBugs.Elements), violation.Address);
        Assert.Contains($"0 bytes after the end of allocation", violation.Text, StringComparison.Ordinal);
        Assert.Contains($"of {4 * PlantedBugs.Elements} bytes", violation.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void UseAfterFree()
    {
        using DeviceProgram program = new("""extern "C" __global__ void use(const int* p, int* q) { q[threadIdx.x] = p[threadIdx.x]; }""");
        CudaDeviceMemory freed = new(program.Context, 128);
        ulong address = freed.Address;
        freed.Dispose();
        CudaDeviceMemory output = program.Allocate<int>(32);
        Violation violation = program.Fails(() => program.Launch("use", 1, 32, address, output));
        Assert.Equal(ViolationKind.UseAfterFree, violation.Kind);
        Assert.Equal(address, violation.Address);
        Assert.Contains("was freed", violation.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void PoisonAndForgetting()
    {
        using DeviceProgram program = new("""extern "C" __global__ void twice(float* p, int n) { int i = threadIdx.x; if (i < n) p[i] *= 2; }""");
        CudaDeviceMemory data = program.Upload([.. Enumerable.Range(0, 32).Select(i => (float)i)]);
        EmulatedMemory.Poison(data.Address + 80, 48);
        program.Launch("twice", 1, 32, data, 20);
        program.Stream.Synchronize();
        EmulatedMemory.Unpoison(data.Address + 80, 16);
        program.Launch("twice", 1, 32, data, 24);
        program.Stream.Synchronize();
        EmulatedMemory.Unpoison(data.Address + 96, 32);
        Assert.Equal([.. Enumerable.Range(0, 32).Select(i => i < 20 ? 4f * i : i < 24 ? 2f * i : i)], program.Read<float>(data));
        EmulatedMemory.Poison(data.Address + 100, 4);
        Violation violation = program.Fails(() => program.Launch("twice", 1, 32, data, 32));
        Assert.Equal(ViolationKind.Poisoned, violation.Kind);
        Assert.Equal(25u, violation.Thread.X);

        using DeviceProgram other = new("""extern "C" __global__ void twice(float* p, int n) { int i = threadIdx.x; if (i < n) p[i] *= 2; }""");
        CudaDeviceMemory fresh = other.Upload(new float[32]);
        EmulatedMemory.MarkUninitialized(fresh.Address + 12, 4);
        Violation unwritten = other.Fails(() => other.Launch("twice", 1, 32, fresh, 32));
        Assert.Equal(ViolationKind.Uninitialised, unwritten.Kind);
        Assert.Equal(3u, unwritten.Thread.X);
    }

    [Fact]
    public void ChecksCanBeOff()
    {
        foreach (
            (string name, EmulatorCheck check) in ((string, EmulatorCheck)[])
                [
                    ("lost_update", EmulatorCheck.Races),
                    ("unwritten_global", EmulatorCheck.Uninitialised),
                    ("race_between_blocks", EmulatorCheck.Races),
                ]
        )
        {
            (int grid, int block) = name == "race_between_blocks" ? (8, 32) : (1, 64);
            using DeviceProgram program = new(
                PlantedBugs.Sources[name],
                options: new EmulatorOptions { Checks = EmulatorCheck.All & ~check },
                compilerOptions: "-DBUG=1"
            );
            CudaDeviceMemory data = Data(program);
            CudaDeviceMemory output = program.Allocate<float>(PlantedBugs.Elements);
            program.Launch(name, grid, block, data, output, PlantedBugs.Elements);
            program.Stream.Synchronize();
            Assert.Null(program.Emulated.Violation);
        }
    }

    private static CudaDeviceMemory Data(DeviceProgram program) =>
        program.Upload([.. Enumerable.Range(0, PlantedBugs.Elements).Select(i => (float)(i % 13))]);
}
