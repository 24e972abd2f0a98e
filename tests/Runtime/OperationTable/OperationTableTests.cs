using System.Reflection;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Backends.Cpu;

namespace CoGrpo.Tests.Runtime.OperationTable;

/// <summary>The operation table on the CPU backend.</summary>
public sealed class OperationTableTests
{
    private static readonly string[] Plumbing = ["get_Name", "get_Memory", nameof(IBackend.Record), "get_Storage", nameof(IBackend.CreateArena)];

    public static TheoryData<string> Operations => [.. Table.Rows.Select(row => row.Operation).Distinct()];

    [Fact]
    public void EveryOperationHasARow()
    {
        IEnumerable<string> operations = typeof(IBackend)
            .GetMethods(BindingFlags.Public | BindingFlags.Instance)
            .Select(m => m.Name)
            .Except(Plumbing);
        Assert.Equal(operations.Order(StringComparer.Ordinal), Table.Rows.Select(row => row.Operation).Distinct().Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public void IsNearlyAsAccurateAsThePlainForm(string operation)
    {
        using CpuBackend backend = new(2);
        All(operation, row => OperationChecks.Accuracy(backend, row));
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public void GradientsAreCentralDifferences(string operation)
    {
        using CpuBackend backend = new(2);
        All(operation, row => OperationChecks.FiniteDifferences(backend, row));
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public void BitsDependOnNeitherThreadsNorBatch(string operation)
    {
        using CpuBackend one = new(1), two = new(2), three = new(3);
        All(operation, row => OperationChecks.SameBits([one, two, three], row));
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public void OutputsMayShareMemoryWhereAllowed(string operation)
    {
        using CpuBackend backend = new(2);
        All(operation, row => OperationChecks.Aliases(backend, row));
    }

    private static void All(string operation, Action<OperationRow> check)
    {
        foreach (OperationRow row in Table.Rows.Where(row => row.Operation == operation))
        {
            check(row);
        }
    }
}
