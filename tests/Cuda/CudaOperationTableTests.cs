using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends.Cuda;
using CoGrpo.Runtime.Cuda;
using CoGrpo.Tests.Runtime.OperationTable;

namespace CoGrpo.Tests.Cuda;

/// <summary>The operation table on the CUDA backend, its kernels as NVRTC compiles them, on emulated devices that watch every access.</summary>
public sealed class CudaOperationTableTests(EmulatedBackend device) : IClassFixture<EmulatedBackend>
{
    private static readonly EmulatedBackend.MemoryWatch Watch = new();

    public static TheoryData<string> Operations => OperationTableTests.Operations;

    public static TheoryData<string> OperationsWithAliases =>
        [.. Table.Rows.Where(row => row.Aliases.Length > 0).Select(row => row.Operation).Distinct()];

    [Theory]
    [MemberData(nameof(Operations))]
    public void IsNearlyAsAccurateAsThePlainFp32FormOnTuring(string operation) =>
        All(EmulatedBackend.Sm75, ElementType.Float32, operation, (backend, row) => OperationChecks.Accuracy(backend, row, Watch));

    [Theory]
    [MemberData(nameof(Operations))]
    public void IsNearlyAsAccurateAsThePlainFp32FormOnAmpere(string operation) =>
        All(EmulatedBackend.Sm80, ElementType.Float32, operation, (backend, row) => OperationChecks.Accuracy(backend, row, Watch));

    [Theory]
    [MemberData(nameof(Operations))]
    public void IsNearlyAsAccurateAsThePlainBf16Form(string operation) =>
        All(EmulatedBackend.Sm80, ElementType.BFloat16, operation, (backend, row) => OperationChecks.Accuracy(backend, row, Watch));

    [Theory]
    [MemberData(nameof(Operations))]
    public void Fp32BitsDependOnNeitherRunNorBatch(string operation) =>
        All(EmulatedBackend.Sm80, ElementType.Float32, operation, (backend, row) => OperationChecks.SameBits([backend, backend], row));

    [Theory]
    [MemberData(nameof(Operations))]
    public void Bf16BitsDependOnNeitherRunNorBatch(string operation) =>
        All(EmulatedBackend.Sm80, ElementType.BFloat16, operation, (backend, row) => OperationChecks.SameBits([backend, backend], row));

    [Theory]
    [MemberData(nameof(OperationsWithAliases))]
    public void OutputsMayShareMemoryWhereAllowed(string operation)
    {
        All(EmulatedBackend.Sm80, ElementType.Float32, operation, (backend, row) => OperationChecks.Aliases(backend, row, Watch));
        All(EmulatedBackend.Sm80, ElementType.BFloat16, operation, (backend, row) => OperationChecks.Aliases(backend, row, Watch));
    }

    private void All(CudaArchitecture architecture, ElementType storage, string operation, Action<CudaBackend, OperationRow> check)
    {
        foreach (OperationRow row in Table.Rows.Where(row => row.Operation == operation))
        {
            device.Use(architecture, storage, backend => check(backend, row));
        }
    }
}
