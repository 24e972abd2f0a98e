using System.Runtime.CompilerServices;

namespace CoGrpo.Runtime.Backends;

/// <summary>The checks that every launcher shares. Each failure names the tensor, what was wanted, what came and the remedy; passing allocates nothing.</summary>
internal static class Require
{
    /// <summary>The tensor is present and has the given rows, columns and element type. -1 leaves a size free.</summary>
    public static void Matrix(Tensor x, int rows, int columns, ElementType type = ElementType.Float32, [CallerArgumentExpression(nameof(x))] string name = "")
    {
        if (x.IsNone || (rows >= 0 && x.Rows != rows) || (columns >= 0 && x.Columns != columns) || x.Type != type)
        {
            Fail(name, x, $"{type} with {(rows < 0 ? "any number of" : rows)} rows of {(columns < 0 ? "any number of" : columns)} elements");
        }
    }

    /// <summary>As <see cref="Matrix"/>, and rows are adjacent.</summary>
    public static void Contiguous(Tensor x, int rows, int columns, ElementType type = ElementType.Float32, [CallerArgumentExpression(nameof(x))] string name = "")
    {
        Matrix(x, rows, columns, type, name);
        if (!x.IsContiguous)
        {
            Fail(name, x, "adjacent rows");
        }
    }

    /// <summary>The tensor is contiguous and holds exactly <paramref name="count"/> elements of <paramref name="type"/>.</summary>
    public static void Count(Tensor x, long count, ElementType type = ElementType.Float32, [CallerArgumentExpression(nameof(x))] string name = "")
    {
        if (x.IsNone || x.Shape.Count != count || x.Type != type || !x.IsContiguous)
        {
            Fail(name, x, $"{count} adjacent elements of {type}");
        }
    }

    /// <summary>The tensor is present and stored as fp32 or bf16.</summary>
    public static void Storage(Tensor x, [CallerArgumentExpression(nameof(x))] string name = "")
    {
        if (x.IsNone || x.Type is not (ElementType.Float32 or ElementType.BFloat16))
        {
            Fail(name, x, "Float32 or BFloat16");
        }
    }

    /// <summary>The tensors have one element type, or one of them is fp32 and the other bf16.</summary>
    public static void Convertible(Tensor x, Tensor y, [CallerArgumentExpression(nameof(y))] string name = "")
    {
        if (x.Type != y.Type && !(x.Type is ElementType.Float32 && y.Type is ElementType.BFloat16) && !(x.Type is ElementType.BFloat16 && y.Type is ElementType.Float32))
        {
            Fail(name, y, x.Type is ElementType.Float32 or ElementType.BFloat16 ? "Float32 or BFloat16" : $"{x.Type}");
        }
    }

    /// <summary>The tensor has the given rank.</summary>
    public static void Rank(Tensor x, int rank, [CallerArgumentExpression(nameof(x))] string name = "")
    {
        if (x.Shape.Rank != rank)
        {
            Fail(name, x, $"rank {rank}");
        }
    }

    /// <summary>A condition between arguments that no single tensor shows.</summary>
    public static void That(bool condition, string name, Tensor got, string wanted)
    {
        if (!condition)
        {
            Fail(name, got, wanted);
        }
    }

    /// <summary>As the other, with a message that is built only when the condition fails: a passing check allocates nothing.</summary>
    public static void That(bool condition, string name, Tensor got, [InterpolatedStringHandlerArgument(nameof(condition))] ref WantedMessage wanted)
    {
        if (!condition)
        {
            Fail(name, got, wanted.Text);
        }
    }

    private static void Fail(string name, Tensor got, string wanted) =>
        throw new TensorException(name, wanted, got.IsNone ? "none" : got.ToString(), "check the shapes where the tensor was made");
}
