namespace CoGrpo.CudaEmulator.Ptx;

/// <summary>Kinds of token. A directive or modifier is a dot and a name: <c>.global</c>, <c>.shared::cta</c>.</summary>
internal enum PtxTokenKind
{
    End,
    Name,
    Dotted,
    Number,
    Text,
    Symbol,
}

/// <summary>One token and the line it stands on, counted from 1.</summary>
internal readonly record struct PtxToken(PtxTokenKind Kind, string Text, int Line)
{
    public bool Is(char symbol) => Kind == PtxTokenKind.Symbol && Text[0] == symbol;

    public bool Is(string dotted) => Kind == PtxTokenKind.Dotted && Text == dotted;
}
