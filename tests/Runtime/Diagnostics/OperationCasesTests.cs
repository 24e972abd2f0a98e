using System.Reflection;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Runtime.Backends.Plan;
using CoGrpo.Runtime.Diagnostics;

namespace CoGrpo.Tests.Runtime.Diagnostics;

/// <summary>The operations that a doctor compares and a benchmark times.</summary>
public sealed class OperationCasesTests
{
    private static readonly string[] NoOperations =
        [nameof(IBackend.CreateArena), nameof(IBackend.Upload), nameof(IBackend.Download), nameof(IBackend.Record), nameof(IDisposable.Dispose)];

    [Fact]
    public void EveryOperationHasACase()
    {
        IEnumerable<string> operations = typeof(IBackend)
            .GetMethods(BindingFlags.Public | BindingFlags.Instance)
            .Where(m => !m.IsSpecialName)
            .Select(m => m.Name)
            .Distinct()
            .Except(NoOperations);
        Assert.Equal(
            operations.Order(StringComparer.Ordinal),
            OperationCases.Of(4).Select(c => c.Operation).Distinct().Order(StringComparer.Ordinal)
        );
    }

    /// <summary>Every case runs, writes every output it names, and costs what it moves.</summary>
    [Fact]
    public void CasesRunAndHaveAFloor()
    {
        using CpuBackend backend = new();
        foreach (OperationCase @case in OperationCases.Of(16))
        {
            using Arena arena = backend.CreateArena("case", 1 << 24);
            PreparedCase prepared = @case.Prepare(backend, arena, ElementType.Float32);
            Assert.NotEmpty(prepared.Outputs);
            prepared.Run();

            OperationCost cost = OperationComparison.CostOf(@case, ElementType.Float32);
            Assert.Equal(1, cost.Calls);
            Assert.True(cost.Bytes > 0, @case.ToString());
        }
    }

    [Fact]
    public void StorageOfHalfTheSizeHalvesTheFloorOfActivations()
    {
        OperationCase copy = OperationCases.Of(16).Single(c => c.Operation == nameof(IBackend.Copy));
        Assert.Equal(2.0 * 93 * 1024 * 4, OperationComparison.CostOf(copy, ElementType.Float32).Bytes);
        Assert.Equal(2.0 * 93 * 1024 * 2, OperationComparison.CostOf(copy, ElementType.BFloat16).Bytes);
    }
}
