namespace CoGrpo.Runtime;

/// <summary>bfloat16, the high half of a binary32, on the host.</summary>
public static class BFloat16
{
    /// <summary>The bits nearest to <paramref name="value"/>, ties to even; a NaN stays one.</summary>
    public static ushort Bits(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)((bits >> 16) | 0x40) : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    /// <summary>The value of <paramref name="bits"/>, exactly.</summary>
    public static float Value(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    /// <summary>The nearest number that bfloat16 holds.</summary>
    public static float Round(float value) => Value(Bits(value));
}
