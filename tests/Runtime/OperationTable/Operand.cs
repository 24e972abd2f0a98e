using CoGrpo.Runtime;

namespace CoGrpo.Tests.Runtime.OperationTable;

/// <summary>What an operation does with an operand.</summary>
internal enum Role
{
    /// <summary>Read, never written.</summary>
    In,

    /// <summary>Overwritten as a whole: poisoned before the call.</summary>
    Out,

    /// <summary>Holds values before the call; the reference says what becomes of them (added to, or partly written).</summary>
    InOut,

    /// <summary>Known to the loss only, for gradients whose kernel does not read the value.</summary>
    Hidden,
}

/// <summary>One operand of a row: its shape, how far apart its rows stand, and how its values are drawn.</summary>
/// <param name="Name">For messages.</param>
/// <param name="Role">What the operation does with it.</param>
/// <param name="Shape">Sizes.</param>
/// <param name="Type">Float32, Float64 or Int32.</param>
/// <param name="Wide">True when it is of that type whatever the storage of the backend; else a Float32 operand is stored as the backend stores
/// activations.</param>
/// <param name="Shared">True when it does not grow with the number of images, so that a batch split passes it whole.</param>
/// <param name="Padding">Elements between one row and the next.</param>
/// <param name="Draw">Value number i.</param>
internal sealed record Operand(
    string Name,
    Role Role,
    Shape Shape,
    ElementType Type,
    bool Wide,
    bool Shared,
    int Padding,
    Func<Random, int, double> Draw
)
{
    public bool IsOutput => Role is Role.Out or Role.InOut;

    public int Count => checked((int)Shape.Count);

    /// <summary>Element type in memory under a storage type.</summary>
    public ElementType Stored(ElementType storage) => Type == ElementType.Float32 && !Wide ? storage : Type;
}
