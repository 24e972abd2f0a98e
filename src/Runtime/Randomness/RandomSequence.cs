namespace CoGrpo.Runtime.Randomness;

/// <summary>
/// Sequential draws from one Philox stream for host-side decisions (prompts, placements, initial weights). A value type whose whole
/// state is its address: (seed, stream, substream, draws so far).
/// </summary>
public struct RandomSequence
{
    private readonly ulong _key;
    private readonly ulong _substream;
    private ulong _draws;

    /// <summary>
    /// The sequence of <paramref name="stream"/> number <paramref name="substream"/> (an iteration, a picture) under <paramref name="seed"/>.
    /// </summary>
    public RandomSequence(ulong seed, RandomStream stream, ulong substream = 0)
    {
        _key = Philox.Key(seed, stream);
        _substream = substream;
        _draws = 0;
    }

    /// <summary>32 uniform bits.</summary>
    public uint NextBits()
    {
        ulong draw = _draws++;
        (uint x0, uint x1, uint x2, uint x3) = Philox.Block(_key, (uint)(draw >> 2), (uint)(draw >> 34), (uint)_substream, (uint)(_substream >> 32));
        return (draw & 3) switch { 0 => x0, 1 => x1, 2 => x2, _ => x3 };
    }

    /// <summary>A uniform integer in [0, <paramref name="bound"/>), without bias (rejection).</summary>
    public int Next(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        uint limit = uint.MaxValue - (uint.MaxValue % (uint)bound);
        uint bits;
        do
        {
            bits = NextBits();
        }
        while (bits >= limit);

        return (int)(bits % (uint)bound);
    }

    /// <summary>A uniform in (0,1) with 53 bits.</summary>
    public double NextDouble() => (((((ulong)NextBits() << 32) | NextBits()) >> 11) + 0.5) * (1.0 / 9007199254740992.0);

    /// <summary>A standard normal (Box–Muller, the cosine branch).</summary>
    public double NextNormal() => Math.Sqrt(-2 * Math.Log(NextDouble())) * Math.Cos(2 * Math.PI * NextDouble());
}
