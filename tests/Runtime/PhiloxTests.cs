using System.Runtime.Intrinsics;
using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Tests.Runtime;

/// <summary>Philox4x32-10 against the known answers of Random123, and the vector version against the scalar one.</summary>
public class PhiloxTests
{
    [Theory]
    [InlineData(0UL, 0u, 0u, 0u, 0u, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(ulong.MaxValue, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [InlineData(0x299f31d0a4093822UL, 0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void KnownAnswers(ulong key, uint c0, uint c1, uint c2, uint c3, uint x0, uint x1, uint x2, uint x3)
    {
        Assert.Equal((x0, x1, x2, x3), Philox.Block(key, c0, c1, c2, c3));
        SimdPhilox.Words64(key, c0, c1, c2, c3, out Vector512<uint> words, out _, out _, out _);
        Assert.Equal((x0, x1, x2, x3), (words[0], words[1], words[2], words[3]));
    }

    [Fact]
    public void SixteenBlocksEqualTheScalarOnes()
    {
        Random random = new(1);
        uint[] words = new uint[SimdPhilox.WordsPerCall];
        for (int trial = 0; trial < 500; trial++)
        {
            ulong key = (ulong)random.NextInt64(long.MinValue, long.MaxValue);
            uint c0 = trial == 0 ? uint.MaxValue - 5 : (uint)random.NextInt64();
            uint c1 = (uint)random.NextInt64();
            uint c2 = (uint)random.NextInt64();
            uint c3 = (uint)random.NextInt64();
            SimdPhilox.Words64(key, c0, c1, c2, c3, out Vector512<uint> w0, out Vector512<uint> w1, out Vector512<uint> w2, out Vector512<uint> w3);
            w0.CopyTo(words, 0);
            w1.CopyTo(words, 16);
            w2.CopyTo(words, 32);
            w3.CopyTo(words, 48);
            for (uint block = 0; block < 16; block++)
            {
                Assert.Equal(
                    Philox.Block(key, c0 + block, c1, c2, c3),
                    (words[4 * block], words[(4 * block) + 1], words[(4 * block) + 2], words[(4 * block) + 3])
                );
            }
        }
    }

    [Fact]
    public void NoiseIsTheNegativeDoubleLogarithmOfTheUniform()
    {
        foreach (uint bits in (uint[])[0, 511, 512, 1u << 31, uint.MaxValue - 512, uint.MaxValue, 123456789, 0xdeadbeef])
        {
            double expected = -Math.Log(-Math.Log(Philox.Uniform(bits)));
            float got = Gumbel.FromBits(Vector512.Create(bits)).ToScalar();
            Assert.InRange(got, -2.82f, 16.64f);
            Assert.True(Math.Abs(got - expected) <= 4e-7 * Math.Max(1, Math.Abs(expected)), $"{bits:x8}: {got} against {expected}");
        }
    }
}
