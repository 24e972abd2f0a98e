namespace CoGrpo.Runtime.Backends.Plan;

/// <summary>What an operation cannot do without, summed over its calls: the floor that a kernel's traffic and time are judged by.</summary>
/// <param name="Calls">Number of calls.</param>
/// <param name="Operations">Additions and multiplications, a fused pair counted as two.</param>
/// <param name="HalfProducts">Those of them in products of bf16 matrices with fp32 sums, which tensor cores do.</param>
/// <param name="BytesRead">Every input once.</param>
/// <param name="BytesWritten">Every output once.</param>
public readonly record struct OperationCost(long Calls, double Operations, double HalfProducts, double BytesRead, double BytesWritten)
{
    /// <summary>Bytes in both directions.</summary>
    public double Bytes => BytesRead + BytesWritten;

    /// <summary>Sums.</summary>
    public static OperationCost operator +(OperationCost a, OperationCost b) =>
        new(
            a.Calls + b.Calls,
            a.Operations + b.Operations,
            a.HalfProducts + b.HalfProducts,
            a.BytesRead + b.BytesRead,
            a.BytesWritten + b.BytesWritten
        );

    /// <summary>The cost of as many times the same.</summary>
    public static OperationCost operator *(OperationCost a, double times) =>
        new((long)Math.Round(a.Calls * times), a.Operations * times, a.HalfProducts * times, a.BytesRead * times, a.BytesWritten * times);

    /// <summary>Sums.</summary>
    public static OperationCost Add(OperationCost left, OperationCost right) => left + right;

    /// <summary>The cost of as many times the same.</summary>
    public static OperationCost Multiply(OperationCost left, double right) => left * right;
}
