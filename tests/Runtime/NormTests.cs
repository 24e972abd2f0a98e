using CoGrpo.Runtime;
using CoGrpo.Tests.Runtime.OperationTable;

namespace CoGrpo.Tests.Runtime;

public sealed class NormTests
{
    private const float Epsilon = NormFormula.Epsilon;

    [Fact]
    public void VarianceOfRowsFarFromZeroIsKept()
    {
        const int c = 128;
        using RowOperationHost host = new(1);
        double[] x = RowOperationHost.Normal(1, 4 * c, 1, 4096), zero = new double[c];
        Tensor y = host.Poisoned(new Shape(4, c)), one = host.Put(Enumerable.Repeat(1.0, c).ToArray(), new Shape(c));
        host.Backend.LayerNorm(host.Put(x, new Shape(4, c)), one, host.Put(zero, new Shape(c)), y, host.Poisoned(new Shape(4, 2)), Epsilon);

        // The mean itself is rounded to an ulp of 4096, 5e-4, which shifts a row as a whole; the difference of two squares would lose everything.
        double[] expected = new double[4 * c];
        NormFormula.Forward(Norm.Layer, x, Enumerable.Repeat(1.0, c).ToArray(), zero, expected, new double[8], 4, c);
        RowOperationHost.AssertClose(expected, RowOperationHost.Read(y), 5e-4);
    }

    [Fact]
    public void WrongShapesAreRefused()
    {
        using RowOperationHost host = new(1);
        Tensor x = host.Poisoned(new Shape(2, 3, 8)), vector = host.Poisoned(new Shape(4, 8)), stats = host.Poisoned(new Shape(6, 2));
        Assert.Throws<TensorException>(() => host.Backend.AdaLn(x, vector, vector, x, stats, Epsilon));
        Assert.Throws<TensorException>(() => host.Backend.RmsNorm(x, host.Poisoned(new Shape(7)), x, host.Poisoned(new Shape(6)), Epsilon));
        Assert.Throws<TensorException>(() => host.Backend.LayerNorm(x, host.Poisoned(new Shape(8)), default, x, stats, Epsilon));
    }
}
