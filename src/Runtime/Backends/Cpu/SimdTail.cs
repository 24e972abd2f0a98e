using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

/// <summary>The last, incomplete vector of a row: the same lanes as a whole vector, nothing touched beyond the end.</summary>
internal static unsafe class SimdTail
{
    /// <summary>The <paramref name="count"/> elements at <paramref name="source"/>, zeros in the remaining lanes.</summary>
    public static Vector512<float> Load(float* source, int count)
    {
        Vector512<float> lanes = Vector512<float>.Zero;
        for (int i = 0; i < count; i++)
        {
            ((float*)&lanes)[i] = source[i];
        }

        return lanes;
    }

    /// <summary>Writes the first <paramref name="count"/> lanes.</summary>
    public static void Store(Vector512<float> lanes, float* target, int count)
    {
        for (int i = 0; i < count; i++)
        {
            target[i] = ((float*)&lanes)[i];
        }
    }
}
