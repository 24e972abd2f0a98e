using System.Numerics;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Tests.Runtime.OperationTable;

/// <summary>
/// One row of the operation table at one size: the operands, the call, and the formula, written once for any precision. In fp64 the
/// formula is the truth, in fp32 the plain sequential form whose error bounds that of the kernel.
/// </summary>
/// <param name="operation">Name of the member of <see cref="IBackend"/>.</param>
/// <param name="images">Number of images (or independent rows) the case can be split into.</param>
/// <param name="label">Sizes and flags, for messages.</param>
/// <param name="wide">True when every operand is, as for the operations on logits and optimizer state, which are fp32 in any storage.</param>
internal abstract class OperationRow(string operation, int images, string label, bool wide = false)
{
    /// <summary>Name of the member of <see cref="IBackend"/>.</summary>
    public string Operation { get; } = operation;

    /// <summary>Number of images (or independent rows) the case can be split into.</summary>
    public int Images { get; } = images;

    public List<Operand> Operands { get; } = [];

    /// <summary>Error the kernel may have, in errors of the plain fp32 form.</summary>
    public virtual double Factor => Operation.Contains("Backward", StringComparison.Ordinal) ? 3 : 2;

    /// <summary>
    /// Error that Float64 outputs may have, relative to the largest value: they are compared with the formula in the same precision.
    /// </summary>
    public virtual double Slack => 0;

    /// <summary>Pairs (operand, gradient of <see cref="Loss"/> with respect to it).</summary>
    public virtual (int At, int Gradient)[] Gradients => [];

    /// <summary>Pairs (operand, output) that the contract lets share memory.</summary>
    public virtual (int Input, int Output)[] Aliases => [];

    /// <summary>The same operation on another number of images.</summary>
    public abstract OperationRow With(int images);

    public abstract void Run(IBackend backend, Tensor[] t);

    /// <summary>Computes all outputs from all inputs.</summary>
    public abstract void Reference<T>(Operands<T> v)
        where T : struct, IFloatingPointIeee754<T>;

    /// <summary>
    /// The formula in fp32 whose error bounds that of the kernel; outputs are rounded to <paramref name="storage"/> afterwards. A row whose
    /// kernel has to round an intermediate value to bf16, because tensor cores take nothing wider, does the same here.
    /// </summary>
    public virtual void PlainForm(Operands<float> v, ElementType storage) => Reference(v);

    /// <summary>Fills inputs that a forward pass would have saved.</summary>
    public virtual void Prepare(Operands<double> v)
    {
    }

    /// <summary>Sum of dy ⊙ y by the formula of the forward pass.</summary>
    public virtual double Loss(Operands<double> v) => throw new InvalidOperationException($"{Operation} has no loss");

    public override string ToString() => $"{Operation}({label}; {Images})";

    protected void In(string name, Shape shape, int padding = 0, bool shared = false, bool wide = false, Func<Random, int, double>? draw = null) =>
        Add(name, Role.In, shape, ElementType.Float32, wide, shared, padding, draw);

    protected void Integers(string name, Shape shape, Func<Random, int, double> draw, bool shared = false, Role role = Role.In) =>
        Add(name, role, shape, ElementType.Int32, true, shared, 0, draw);

    protected void Doubles(string name, Shape shape, Func<Random, int, double> draw, bool shared = false, Role role = Role.In) =>
        Add(name, role, shape, ElementType.Float64, true, shared, 0, draw);

    protected void Out(string name, Shape shape, int padding = 0, bool shared = false, bool wide = false) =>
        Add(name, Role.Out, shape, ElementType.Float32, wide, shared, padding, null);

    protected void InOut(string name, Shape shape, int padding = 0, bool shared = false, bool wide = false, Func<Random, int, double>? draw = null) =>
        Add(name, Role.InOut, shape, ElementType.Float32, wide, shared, padding, draw);

    /// <summary>An output that is added to when <paramref name="accumulate"/>, else overwritten.</summary>
    protected void Result(string name, Shape shape, bool accumulate, int padding = 0, bool shared = false, bool wide = false) =>
        Add(name, accumulate ? Role.InOut : Role.Out, shape, ElementType.Float32, wide, shared, padding, null);

    protected void Hidden(string name, Shape shape, bool shared = false, bool wide = false) =>
        Add(name, Role.Hidden, shape, ElementType.Float32, wide, shared, 0, null);

    /// <summary>
    /// Elements between rows: 8 where rows of so many columns can then all be aligned, else some number below <paramref name="odd"/>.
    /// </summary>
    protected static int Padding(int columns, int odd) => columns % 8 == 0 ? 8 : columns % odd;

    protected static double Normal(Random random, int index) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    /// <summary><paramref name="value"/> as <paramref name="storage"/> keeps it.</summary>
    protected static float Rounded(float value, ElementType storage) => (float)ElementBits.Value(storage, ElementBits.Of(storage, value));

    protected static T Of<T>(double value)
        where T : IFloatingPointIeee754<T> => T.CreateChecked(value);

    protected static double Dot(double[] a, double[] b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }

    private void Add(
        string name,
        Role role,
        Shape shape,
        ElementType type,
        bool wideOperand,
        bool shared,
        int padding,
        Func<Random, int, double>? draw
    ) => Operands.Add(new Operand(name, role, shape, type, wide || wideOperand, shared, padding, draw ?? Normal));
}
