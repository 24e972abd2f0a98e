using System.Numerics;
using System.Runtime.InteropServices;

namespace CoGrpo.Rl.Logging;

/// <summary>CRC-32C (Castagnoli) as TensorBoard's record files use it: System.IO.Hashing has the other polynomial only.</summary>
internal static class Crc32C
{
    /// <summary>The plain checksum.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (ulong word in words)
        {
            crc = BitOperations.Crc32C(crc, word);
        }

        foreach (byte value in bytes[(8 * words.Length)..])
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        return ~crc;
    }

    /// <summary>The checksum masked as in record files, so that a record of records does not check itself.</summary>
    public static uint Masked(ReadOnlySpan<byte> bytes) => BitOperations.RotateRight(Compute(bytes), 15) + 0xa282ead8;
}
