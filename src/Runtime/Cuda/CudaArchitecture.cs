using System.Globalization;

namespace CoGrpo.Runtime.Cuda;

/// <summary>A compute capability, written <c>sm_80</c>.</summary>
/// <param name="Major">First digit.</param>
/// <param name="Minor">Second digit.</param>
public readonly record struct CudaArchitecture(int Major, int Minor) : IComparable<CudaArchitecture>
{
    /// <summary>Capability as one number: 80 for 8.0.</summary>
    public int Number => (10 * Major) + Minor;

    /// <summary>Whether bf16 storage, bf16 tensor cores and asynchronous copies to shared memory exist (Ampere and later).</summary>
    public bool HasBFloat16 => Major >= 8;

    /// <summary>Reads <c>sm_80</c>.</summary>
    /// <exception cref="FormatException">The text is not of that form.</exception>
    public static CudaArchitecture Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return TryParse(text, out CudaArchitecture architecture)
            ? architecture
            : throw new FormatException($"architecture: wanted the form sm_80, got {text}; name one of NVIDIA's compute capabilities");
    }

    /// <summary>Reads <c>sm_80</c>; false if the text is not of that form.</summary>
    public static bool TryParse(string text, out CudaArchitecture architecture)
    {
        architecture = default;
        if (text is null || !text.StartsWith("sm_", StringComparison.Ordinal) || text.Length is < 5 or > 6
            || !int.TryParse(text.AsSpan(3), NumberStyles.None, CultureInfo.InvariantCulture, out int number))
        {
            return false;
        }

        architecture = new CudaArchitecture(number / 10, number % 10);
        return true;
    }

    /// <summary>By number.</summary>
    public int CompareTo(CudaArchitecture other) => Number.CompareTo(other.Number);

    /// <summary>The form <c>sm_80</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"sm_{Number}");

    /// <summary>Earlier.</summary>
    public static bool operator <(CudaArchitecture left, CudaArchitecture right) => left.CompareTo(right) < 0;

    /// <summary>Later.</summary>
    public static bool operator >(CudaArchitecture left, CudaArchitecture right) => left.CompareTo(right) > 0;

    /// <summary>Earlier or the same.</summary>
    public static bool operator <=(CudaArchitecture left, CudaArchitecture right) => left.CompareTo(right) <= 0;

    /// <summary>Later or the same.</summary>
    public static bool operator >=(CudaArchitecture left, CudaArchitecture right) => left.CompareTo(right) >= 0;
}
