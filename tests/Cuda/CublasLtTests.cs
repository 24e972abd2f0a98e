using CoGrpo.CudaEmulator;
using CoGrpo.CudaEmulator.Cublas;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Backends.Cuda;
using CoGrpo.Runtime.Cuda;
using CoGrpo.Tests.Runtime.OperationTable;

namespace CoGrpo.Tests.Cuda;

/// <summary>Matrix products by cuBLASLt: the shipping binding over a table whose functions compute on emulated memory.</summary>
public sealed class CublasLtTests
{
    public static TheoryData<string, ElementType> Cases
    {
        get
        {
            TheoryData<string, ElementType> cases = [];
            foreach (
                string operation in (string[])[nameof(IBackend.Linear), nameof(IBackend.LinearBackwardInput), nameof(IBackend.LinearBackwardWeight)]
            )
            {
                cases.Add(operation, ElementType.Float32);
                cases.Add(operation, ElementType.BFloat16);
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void ProductsAreNearlyAsAccurateAsThePlainForm(string operation, ElementType storage)
    {
        using CudaBackend backend = Backend(storage);
        foreach (OperationRow row in Table.Rows.Where(row => row.Operation == operation))
        {
            OperationChecks.Accuracy(backend, row);
            OperationChecks.Aliases(backend, row);
        }
    }

    [Fact]
    public void EverythingIsFreed()
    {
        int before = EmulatedCublasLt.Live;
        using (CudaBackend backend = Backend(ElementType.Float32))
        {
            OperationChecks.Accuracy(
                backend,
                new LinearRow(1, 8, 8, 8, WeightLayout.OutIn, Activation.None, false, false, new LinearForm(Aligned: true))
            );
            Assert.True(EmulatedCublasLt.Live > before);
        }

        Assert.Equal(before, EmulatedCublasLt.Live);
    }

    /// <summary>Descriptions are made once per shape, and no kernel of this library runs where the library has the whole epilogue.</summary>
    [Theory]
    [InlineData(ElementType.Float32)]
    [InlineData(ElementType.BFloat16)]
    public void ALaterProductOfTheSameShapeMakesNothing(ElementType storage)
    {
        using CudaBackend backend = Backend(storage);
        using Arena arena = backend.CreateArena("test", 1 << 20);
        Tensor x = arena.Allocate(new Shape(24, 16), storage), weight = arena.Allocate(new Shape(40, 16), storage);
        Tensor bias = arena.Allocate(new Shape(40), storage), y = arena.Allocate(new Shape(24, 40), storage);
        foreach (Tensor tensor in (Tensor[])[x, weight, bias])
        {
            backend.Fill(tensor, 0.5f);
        }

        backend.Linear(x, weight, bias, y);
        int made = EmulatedCublasLt.Live;
        using LaunchRecording recording = EmulatedMachine.CurrentContext.Record();
        backend.Linear(x, weight, bias, y);
        backend.Linear(x, weight, bias, y);
        backend.Synchronize();
        Assert.Equal(made, EmulatedCublasLt.Live);
        Assert.Empty(recording.Launches);
    }

    /// <summary>
    /// What cuBLASLt cannot do is done by the library's own kernel: operands without 16-byte rows here, rows that the device counts, operands of two
    /// types.
    /// </summary>
    [Fact]
    public void TheOwnKernelRunsWhereTheLibraryHasNone()
    {
        using CudaBackend backend = Backend(ElementType.BFloat16);
        Assert.Equal(["linear_any_bf16"], Kernels(backend, new LinearRow(1, 5, 7, 3, WeightLayout.OutIn, Activation.None, false, false)));
        Assert.Equal(["linear_small_bf16"], Kernels(backend, new LiveLinearRow(8, 5, 8, 8, new LinearForm(Aligned: true))));
        Assert.Equal(
            ["linearwide_float_bf16"],
            Kernels(backend, new LinearBackwardInputRow(1, 8, 8, 8, WeightLayout.OutIn, false, new LinearForm(Aligned: true, Wide: true)))
        );
        Assert.Equal(
            ["linearepilogue_bf16"],
            Kernels(backend, new LinearRow(1, 8, 8, 8, WeightLayout.OutIn, Activation.Silu, true, true, new LinearForm(Aligned: true)))
        );
    }

    [Fact]
    public void AMissingLibraryIsOneLineThatSaysWhatWasTried()
    {
        CudaException error = Assert.Throws<CudaException>(() =>
            Backend(ElementType.Float32, () => CublasLt.Load(NativeLibrarySearch.For("cuBLASLt", ["libno-such-cublas.so"], [])))
        );
        Assert.StartsWith(
            "cuBLASLt: wanted NVIDIA's matrix library on this machine, tried libno-such-cublas.so and found none; install it",
            error.Message,
            StringComparison.Ordinal
        );
        Assert.EndsWith("leave out --gemm cublas", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void AFailureNamesLibraryCallAndRemedy()
    {
        using CudaContext context = new(new CudaDevice(EmulatedMachine.Driver, EmulatedMachine.OrdinalOf(EmulatedBackend.Sm80)));
        using CudaStream stream = new(context);
        using CublasLt library = EmulatedCublasLt.Create();
        CublasLtProduct product = new(8, 8, 8, ElementType.Float32, ElementType.Float32, true, true, 4, 8, 8, false, false, 16);
        CudaException error = Assert.Throws<CudaException>(() => library.Multiply(in product, 0, 0, 0, 0, 0, stream));
        Assert.Equal("cuBLASLt emulated cuBLASLt: describing a matrix failed with InvalidValue; leave out --gemm cublas and report what «cogrpo-native doctor» says", error.Message);
    }

    private static string[] Kernels(CudaBackend backend, OperationRow row)
    {
        using LaunchRecording recording = EmulatedMachine.CurrentContext.Record();
        OperationChecks.Accuracy(backend, row);
        return [.. recording.Launches.Select(launch => launch.Kernel)];
    }

    private static CudaBackend Backend(ElementType storage, Func<CublasLt>? library = null) =>
        new(
            new CudaDevice(EmulatedMachine.Driver, EmulatedMachine.OrdinalOf(EmulatedBackend.Sm80)),
            new CudaBackendOptions { Storage = storage, Gemm = GemmName.Cublas },
            TestCompilers.Kernels,
            library ?? EmulatedCublasLt.Create
        );
}
