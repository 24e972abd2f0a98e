namespace CoGrpo.CudaEmulator.Memory;

/// <summary>
/// Where the spaces of a thread lie among generic addresses: beyond what devices address, so that no allocation is ever there. The low half
/// of a generic address is the address in its space.
/// </summary>
internal static class Windows
{
    public const int Shift = 48;

    public const ulong Shared = 1UL << Shift;

    public const ulong Local = 2UL << Shift;

    public const ulong Parameter = 3UL << Shift;

    public const ulong Offset = (1UL << Shift) - 1;
}
