namespace CoGrpo.CudaEmulator.Ptx;

/// <summary>What the bits of a value mean.</summary>
internal enum PtxKind
{
    Bits,
    Unsigned,
    Signed,
    Float,
    BFloat,
    TFloat,
    Predicate,
}

/// <summary>A PTX type: <c>.u32</c>, <c>.f16x2</c>.</summary>
/// <param name="Kind">Meaning of one element.</param>
/// <param name="ElementBytes">Size of one element; 0 for a predicate.</param>
/// <param name="Elements">1, or 2 for packed pairs.</param>
internal readonly record struct PtxType(PtxKind Kind, int ElementBytes, int Elements = 1)
{
    private static readonly Dictionary<string, PtxType> Names = new(StringComparer.Ordinal)
    {
        [".b8"] = new(PtxKind.Bits, 1),
        [".b16"] = new(PtxKind.Bits, 2),
        [".b32"] = new(PtxKind.Bits, 4),
        [".b64"] = new(PtxKind.Bits, 8),
        [".b128"] = new(PtxKind.Bits, 16),
        [".u8"] = new(PtxKind.Unsigned, 1),
        [".u16"] = new(PtxKind.Unsigned, 2),
        [".u32"] = new(PtxKind.Unsigned, 4),
        [".u64"] = new(PtxKind.Unsigned, 8),
        [".s8"] = new(PtxKind.Signed, 1),
        [".s16"] = new(PtxKind.Signed, 2),
        [".s32"] = new(PtxKind.Signed, 4),
        [".s64"] = new(PtxKind.Signed, 8),
        [".f16"] = new(PtxKind.Float, 2),
        [".f32"] = new(PtxKind.Float, 4),
        [".f64"] = new(PtxKind.Float, 8),
        [".bf16"] = new(PtxKind.BFloat, 2),
        [".tf32"] = new(PtxKind.TFloat, 4),
        [".f16x2"] = new(PtxKind.Float, 2, 2),
        [".bf16x2"] = new(PtxKind.BFloat, 2, 2),
        [".u16x2"] = new(PtxKind.Unsigned, 2, 2),
        [".s16x2"] = new(PtxKind.Signed, 2, 2),
        [".pred"] = new(PtxKind.Predicate, 0),
    };

    public int Bytes => ElementBytes * Elements;

    public bool IsFloat => Kind is PtxKind.Float or PtxKind.BFloat or PtxKind.TFloat;

    public bool IsSigned => Kind == PtxKind.Signed;

    public bool IsPredicate => Kind == PtxKind.Predicate;

    public static bool TryParse(string dotted, out PtxType type) => Names.TryGetValue(dotted, out type);

    public override string ToString()
    {
        PtxType type = this;
        return Names.First(entry => entry.Value == type).Key;
    }
}
