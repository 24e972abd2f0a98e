using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Randomness;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Tests.Runtime;

/// <summary>Re-masking: exact counts, ties, untouched decoded positions, and equality with a sort.</summary>
public class RemaskTests
{
    private const int Mask = 431;
    private const ulong Seed = 7;
    private const int Step = 5;
    private const int Steps = 12;

    [Theory]
    [InlineData(0f)]
    [InlineData(1.3f)]
    [InlineData(20f)]
    public void CountsAreExactAndDecodedPositionsUntouched(float temperature)
    {
        const int Positions = 257;
        int[] counts = [0, 1, 2, 50, 100, 128, 129, 200, 256, 257];
        using SamplingScope scope = new(2);
        int images = counts.Length;
        int[] canvas = RandomCanvas(1, images * Positions, 0.5);
        int[] candidates = [.. Enumerable.Range(0, images * Positions).Select(i => i % Mask)];
        float[] confidence = SamplingScope.Normal(2, images * Positions, 3f);
        (int[] after, int[] step) = Run(scope, images, Positions, canvas, candidates, confidence, temperature, counts);
        for (int b = 0; b < images; b++)
        {
            int masked = 0;
            int still = 0;
            for (int i = b * Positions; i < (b + 1) * Positions; i++)
            {
                masked += canvas[i] == Mask ? 1 : 0;
                still += after[i] == Mask ? 1 : 0;
                bool decodedNow = canvas[i] == Mask && after[i] != Mask;
                Assert.Equal(decodedNow ? candidates[i] : canvas[i], after[i]);
                Assert.Equal(decodedNow ? Step : -1, step[i]);
            }

            Assert.Equal(RemaskCount.Of(Positions, counts[b] / (double)Positions, masked, Step, Steps), still);
            Assert.Equal(Math.Clamp(counts[b], 1, masked - 1), still);
        }
    }

    [Theory]
    [InlineData(0f, 16)]
    [InlineData(0f, 256)]
    [InlineData(4.5f, 64)]
    [InlineData(20f, 1024)]
    [InlineData(0.3f, 77)]
    public void EqualsTheSort(float temperature, int positions)
    {
        const int Images = 24;
        using SamplingScope scope = new(2);
        Random random = new(positions);
        int[] canvas = RandomCanvas(positions, Images * positions, 0.7);
        int[] candidates = [.. Enumerable.Range(0, Images * positions).Select(_ => random.Next(Mask))];

        // Few distinct values, both zeros and -∞ among them: ties everywhere when there is no noise.
        float[] values = [-1f, -0.5f, 0f, -0f, 2f, float.NegativeInfinity, -7f];
        float[] confidence = [.. Enumerable.Range(0, Images * positions).Select(_ => values[random.Next(values.Length)])];
        int[] counts = [.. Enumerable.Range(0, Images).Select(b => 1 + random.Next(canvas.AsSpan(b * positions, positions).Count(Mask) - 1))];
        (int[] after, _) = Run(scope, Images, positions, canvas, candidates, confidence, temperature, counts);
        ulong key = Philox.Key(Seed, RandomStream.Remask);
        for (int b = 0; b < Images; b++)
        {
            int first = b * positions;
            double[] score = [.. Enumerable.Range(0, positions).Select(i => temperature == 0
                ? confidence[first + i]
                : confidence[first + i] + (temperature * ScalarNoise(key, i, b)))];
            int[] order = [.. Enumerable.Range(0, positions).Where(i => canvas[first + i] == Mask).OrderBy(i => score[i]).ThenBy(i => i)];
            HashSet<int> kept = [.. order.Take(counts[b])];
            for (int i = 0; i < positions; i++)
            {
                int expected = canvas[first + i] != Mask || kept.Contains(i) ? canvas[first + i] : candidates[first + i];
                Assert.Equal(expected, after[first + i]);
            }
        }
    }

    [Fact]
    public void TiesRemaskTheLowerIndexFirst()
    {
        using SamplingScope scope = new();
        int[] canvas = [Mask, 3, Mask, Mask, Mask, Mask];
        (int[] after, _) = Run(scope, 1, 6, canvas, [10, 11, 12, 13, 14, 15], [1f, 0f, 1f, 1f, -2f, 1f], 0f, [3]);
        Assert.Equal([Mask, 3, Mask, 13, Mask, 15], after);
    }

    [Fact]
    public void NotANumberRanksLowest()
    {
        using SamplingScope scope = new();
        (int[] after, _) = Run(scope, 1, 4, [Mask, Mask, Mask, Mask], [0, 1, 2, 3], [-50f, 9f, float.NaN, -60f], 0f, [1]);
        Assert.Equal([0, 1, Mask, 3], after);
    }

    [Fact]
    public void SameResultAtAnyBatchSplitAndThreadCount()
    {
        const int Images = 9;
        const int Positions = 144;
        int[] canvas = RandomCanvas(3, Images * Positions, 0.8);
        int[] candidates = [.. Enumerable.Range(0, Images * Positions).Select(i => i % Mask)];
        float[] confidence = SamplingScope.Normal(4, Images * Positions, 2f);
        int[] counts = [.. Enumerable.Range(0, Images).Select(b => 10 * b)];
        using SamplingScope one = new(1);
        using SamplingScope three = new(3);
        (int[] whole, int[] wholeStep) = Run(one, Images, Positions, canvas, candidates, confidence, 3f, counts);
        Assert.Equal(whole, Run(three, Images, Positions, canvas, candidates, confidence, 3f, counts).Canvas);
        for (int b = 0; b < Images; b++)
        {
            Range row = (b * Positions)..((b + 1) * Positions);
            (int[] after, int[] step) = Run(one, 1, Positions, canvas[row], candidates[row], confidence[row], 3f, [counts[b]], firstTrajectory: b);
            Assert.Equal(whole[row], after);
            Assert.Equal(wholeStep[row], step);
        }
    }

    [Fact]
    public void TheLastStepDecodesAllAndTheCandidatesKeepTheirLogProbability()
    {
        using SamplingScope scope = new();
        int[] canvas = [Mask, 3, Mask, Mask];
        RemaskOperands operands = Operands(scope, 1, 4, canvas, [10, 11, 12, 13], [1f, 2f, 3f, 4f], 1f, [3], 0);
        scope.Backend.Remask(operands, scope.Noise(Seed, RandomStream.Remask, Steps - 1), Steps, CountRule.Double, Mask);
        Assert.Equal([10, 3, 12, 13], scope.Ints(operands.Canvas));
        Assert.Equal([-1f, 0f, -3f, -4f], scope.Floats(operands.DecodedLogProb));
    }

    [Theory]
    [InlineData(CountRule.Double, 2048)]
    [InlineData(CountRule.Single, 2047)]
    public void TheCountRuleDecidesAtTwoThirds(CountRule rule, int left)
    {
        // N cos(π/3) is an integer; fp32 in the reference's order falls short of it by one.
        const int Positions = 4096;
        using SamplingScope scope = new(2);
        int[] canvas = new int[Positions];
        Array.Fill(canvas, Mask);
        RemaskOperands operands = Operands(scope, 1, Positions, canvas, new int[Positions], new float[Positions], 1f, [0], 0);
        HandMadeSettings hand = new() { SinglePrecision = rule == CountRule.Single };
        operands = operands with { Actions = scope.Put(new Shape(1, 4), [hand.At(31, 48).Remask, 1, 1, 1]) };
        scope.Backend.Remask(operands, scope.Noise(Seed, RandomStream.Remask, 31), 48, rule, Mask);
        Assert.Equal(left, scope.Ints(operands.Canvas).Count(x => x == Mask));
    }

    private static double ScalarNoise(ulong key, int position, int trajectory)
    {
        (uint x0, uint x1, uint x2, uint x3) = Philox.Block(key, (uint)position / 4, 0, (uint)Step, (uint)trajectory);
        return -Math.Log(-Math.Log(Philox.Uniform((position % 4) switch { 0 => x0, 1 => x1, 2 => x2, _ => x3 })));
    }

    private static int[] RandomCanvas(int seed, int count, double masked)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextDouble() < masked ? Mask : random.Next(Mask))];
    }

    private static (int[] Canvas, int[] Step) Run(SamplingScope scope, int images, int positions, int[] canvas, int[] candidates, float[] confidence,
        float temperature, int[] counts, int firstTrajectory = 0)
    {
        RemaskOperands operands = Operands(scope, images, positions, canvas, candidates, confidence, temperature, counts, firstTrajectory);
        scope.Backend.Remask(operands, scope.Noise(Seed, RandomStream.Remask, Step), Steps, CountRule.Double, Mask);
        return (scope.Ints(operands.Canvas), scope.Ints(operands.DecodedStep));
    }

    private static RemaskOperands Operands(
        SamplingScope scope,
        int images,
        int positions,
        int[] canvas,
        int[] candidates,
        float[] confidence,
        float temperature,
        int[] counts,
        int firstTrajectory
    )
    {
        Shape shape = new(images, positions);
        int[] never = new int[images * positions];
        Array.Fill(never, -1);
        return new RemaskOperands
        {
            Canvas = scope.Put(shape, (int[])canvas.Clone()),
            Candidates = scope.Put(shape, candidates),
            Confidence = scope.Put(shape, confidence),
            LogProb = scope.Put(shape, [.. confidence.Select(x => -x)]),
            Actions = scope.Put(new Shape(images, 4), [.. counts.SelectMany(k => (double[])[k / (double)positions, 1, temperature, 1])]),
            StartShare = scope.Put(new Shape(images), [.. Enumerable.Repeat(1.0, images)]),
            Trajectories = scope.Put(Enumerable.Range(firstTrajectory, images).ToArray()),
            DecodedStep = scope.Put(shape, never),
            DecodedLogProb = scope.Put(shape, new float[images * positions]),
        };
    }
}
