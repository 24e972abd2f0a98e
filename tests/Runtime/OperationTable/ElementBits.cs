using CoGrpo.Runtime;

namespace CoGrpo.Tests.Runtime.OperationTable;

/// <summary>Elements of any type as bit patterns, and the two patterns that no operation produces: NaNs of their own.</summary>
internal static class ElementBits
{
    /// <summary>The value of a pattern, exactly.</summary>
    public static double Value(ElementType type, ulong bits) => type switch
    {
        ElementType.Float64 => BitConverter.UInt64BitsToDouble(bits),
        ElementType.BFloat16 => BitConverter.UInt32BitsToSingle((uint)bits << 16),
        ElementType.Int32 => (int)(uint)bits,
        _ => BitConverter.UInt32BitsToSingle((uint)bits),
    };

    /// <summary>The pattern of the nearest value, ties to even.</summary>
    public static ulong Of(ElementType type, double value) => type switch
    {
        ElementType.Float64 => BitConverter.DoubleToUInt64Bits(value),
        ElementType.BFloat16 => NearestBFloat16(value),
        ElementType.Int32 => (uint)(int)value,
        _ => BitConverter.SingleToUInt32Bits((float)value),
    };

    /// <summary>Fills the memory around operands and between their rows.</summary>
    public static ulong Canary(ElementType type) => type.Size() switch { 2 => 0x7FCB, 8 => 0x7FF8BEEF_7FC0BEEF, _ => 0x7FC0BEEF };

    /// <summary>Fills outputs before the call.</summary>
    public static ulong Poison(ElementType type) => type.Size() switch { 2 => 0x7FDE, 8 => 0x7FF8DEAD_7FC0DEAD, _ => 0x7FC0DEAD };

    /// <summary>
    /// Rounded once: by way of fp32 with the last bit sticky, so that the second rounding sees on which side of a tie the value lies.
    /// </summary>
    private static ulong NearestBFloat16(double value)
    {
        float near = (float)value;
        uint bits = BitConverter.SingleToUInt32Bits(near);
        if (!float.IsFinite(near))
        {
            return bits >> 16;
        }

        if (near != value)
        {
            // Towards zero, then odd.
            bits = (Math.Abs((double)near) > Math.Abs(value) ? bits - 1 : bits) | 1;
        }

        return (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
    }
}
