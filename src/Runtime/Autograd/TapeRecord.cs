using CoGrpo.Runtime.Backends;

namespace CoGrpo.Runtime.Autograd;

/// <summary>
/// One recorded operation: its operands by number and what its gradient rule needs. Which field holds what is written at each operation.
/// </summary>
internal struct TapeRecord
{
    public Operation Operation;
    public Var X;
    public Var W;
    public Var B;
    public Var C;
    public Var D;
    public Var Y;
    public Tensor Saved0;
    public Tensor Saved1;
    public int I0;
    public int I1;
    public int I2;
    public bool Flag;
    public WeightLayout Layout;
    public Activation Activation;
    public float Factor;
}
