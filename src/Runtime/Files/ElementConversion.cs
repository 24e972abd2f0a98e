using System.Buffers.Binary;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace CoGrpo.Runtime.Files;

/// <summary>
/// Floating-point values to and from the little-endian bytes of a file. Narrowing rounds to nearest, ties to even; widening is exact.
/// </summary>
public static class ElementConversion
{
    /// <summary>Whether values of the type can be converted: F64, F32, F16 and BF16.</summary>
    public static bool IsFloatingPoint(this SafetensorsType type) => type <= SafetensorsType.BF16;

    /// <summary>fp32 values of <paramref name="bytes"/>; F64 is rounded.</summary>
    /// <exception cref="ArgumentException">The type is not a floating-point one, or the bytes are not those of as many values.</exception>
    public static void ToFloat32(SafetensorsType type, ReadOnlySpan<byte> bytes, Span<float> values)
    {
        Check(type, bytes.Length, values.Length);
        if (type == SafetensorsType.F32 && BitConverter.IsLittleEndian)
        {
            bytes.CopyTo(MemoryMarshal.AsBytes(values));
            return;
        }

        if (type == SafetensorsType.F16 && BitConverter.IsLittleEndian)
        {
            TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(bytes), values);
            return;
        }

        for (int i = 0; i < values.Length; i++)
        {
            values[i] = type switch
            {
                SafetensorsType.F64 => (float)BinaryPrimitives.ReadDoubleLittleEndian(bytes[(8 * i)..]),
                SafetensorsType.F32 => BinaryPrimitives.ReadSingleLittleEndian(bytes[(4 * i)..]),
                SafetensorsType.F16 => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes[(2 * i)..]),
                _ => BFloat16.Value(BinaryPrimitives.ReadUInt16LittleEndian(bytes[(2 * i)..])),
            };
        }
    }

    /// <summary>The bytes of fp32 values in <paramref name="type"/>. What exceeds the range of F16 becomes infinite.</summary>
    /// <exception cref="ArgumentException">The type is not a floating-point one, or the bytes are not those of as many values.</exception>
    public static void FromFloat32(SafetensorsType type, ReadOnlySpan<float> values, Span<byte> bytes)
    {
        Check(type, bytes.Length, values.Length);
        if (type == SafetensorsType.F32 && BitConverter.IsLittleEndian)
        {
            MemoryMarshal.AsBytes(values).CopyTo(bytes);
            return;
        }

        if (type == SafetensorsType.F16 && BitConverter.IsLittleEndian)
        {
            TensorPrimitives.ConvertToHalf(values, MemoryMarshal.Cast<byte, Half>(bytes));
            return;
        }

        for (int i = 0; i < values.Length; i++)
        {
            switch (type)
            {
                case SafetensorsType.F64:
                    BinaryPrimitives.WriteDoubleLittleEndian(bytes[(8 * i)..], values[i]);
                    break;
                case SafetensorsType.F32:
                    BinaryPrimitives.WriteSingleLittleEndian(bytes[(4 * i)..], values[i]);
                    break;
                case SafetensorsType.F16:
                    BinaryPrimitives.WriteHalfLittleEndian(bytes[(2 * i)..], (Half)values[i]);
                    break;
                default:
                    BinaryPrimitives.WriteUInt16LittleEndian(bytes[(2 * i)..], BFloat16.Bits(values[i]));
                    break;
            }
        }
    }

    private static void Check(SafetensorsType type, int bytes, int values)
    {
        if (!type.IsFloatingPoint() || bytes != (long)values * type.Size())
        {
            throw new ArgumentException($"conversion: wanted F64, F32, F16 or BF16 and {(long)values * type.Size()} bytes for {values} values, got {type} and {bytes}; check type and lengths");
        }
    }
}
