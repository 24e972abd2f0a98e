using CoGrpo.Runtime;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Tests.Runtime.Files;

public sealed class ElementConversionTests
{
    private static readonly float[] Values =
    [
        0,
        -0f,
        1,
        -1,
        1 / 3f,
        1e-8f,
        -1e-8f,
        6e-8f,
        65504,
        65519.996f,
        65520,
        -1e30f,
        3.4e38f,
        1e-40f,
        float.PositiveInfinity,
        float.NegativeInfinity,
        2049,
        2051,
        1.00390625f,
        1.01171875f,
    ];

    [Fact]
    public void Narrowing_rounds_to_nearest_even_and_widening_is_exact()
    {
        byte[] half = new byte[2 * Values.Length],
            brain = new byte[2 * Values.Length],
            whole = new byte[4 * Values.Length],
            large = new byte[8 * Values.Length];
        ElementConversion.FromFloat32(SafetensorsType.F16, Values, half);
        ElementConversion.FromFloat32(SafetensorsType.BF16, Values, brain);
        ElementConversion.FromFloat32(SafetensorsType.F32, Values, whole);
        ElementConversion.FromFloat32(SafetensorsType.F64, Values, large);
        float[] back = new float[Values.Length];
        ElementConversion.ToFloat32(SafetensorsType.F16, half, back);
        Assert.Equal(Values.Select(v => (float)(Half)v), back);
        ElementConversion.ToFloat32(SafetensorsType.BF16, brain, back);
        Assert.Equal(Values.Select(BFloat16.Round), back);
        ElementConversion.ToFloat32(SafetensorsType.F32, whole, back);
        Assert.Equal(Values, back);
        ElementConversion.ToFloat32(SafetensorsType.F64, large, back);
        Assert.Equal(Values, back);
    }

    [Fact]
    public void Every_value_of_sixteen_bits_comes_back()
    {
        byte[] all = new byte[2 * 65536];
        for (int i = 0; i < 65536; i++)
        {
            (all[2 * i], all[(2 * i) + 1]) = ((byte)i, (byte)(i >> 8));
        }

        float[] values = new float[65536];
        byte[] back = new byte[all.Length];
        foreach (SafetensorsType type in new[] { SafetensorsType.F16, SafetensorsType.BF16 })
        {
            ElementConversion.ToFloat32(type, all, values);
            ElementConversion.FromFloat32(type, values, back);
            for (int i = 0; i < values.Length; i++)
            {
                Assert.True(float.IsNaN(values[i]) || (back[2 * i], back[(2 * i) + 1]) == (all[2 * i], all[(2 * i) + 1]), $"{type} {i:x4}");
            }
        }
    }

    [Fact]
    public void Integers_and_wrong_lengths_are_refused()
    {
        Assert.Throws<ArgumentException>(() => ElementConversion.ToFloat32(SafetensorsType.I32, new byte[4], new float[1]));
        Assert.Throws<ArgumentException>(() => ElementConversion.FromFloat32(SafetensorsType.F16, new float[2], new byte[5]));
    }
}
