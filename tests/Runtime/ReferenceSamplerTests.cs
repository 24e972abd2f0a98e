using System.Text.Json;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Randomness;
using CoGrpo.Runtime.Sampling;
using CoGrpo.Tests.Fixtures;

namespace CoGrpo.Tests.Runtime;

/// <summary>
/// The reference sampler's trajectories with its own draws and uniforms: the same confidences and exactly the same masks and canvases.
/// The noise enters the confidence here, since the re-mask operation draws its own, and the operation runs at temperature 0.
/// </summary>
public class ReferenceSamplerTests
{
    /// <summary>Names of the golden trajectories.</summary>
    public static TheoryData<string> Cases()
    {
        TheoryData<string> names = [];
        foreach (JsonElement x in FixtureFolder.Json("sampler-step", "cases.json").EnumerateArray())
        {
            names.Add(x.GetProperty("case").GetString()!);
        }

        return names;
    }

    [Theory]
    [Trait("Category", "fixtures")]
    [MemberData(nameof(Cases))]
    public void MasksMatchTheReference(string name)
    {
        JsonElement golden = FixtureFolder.Json("sampler-step", "cases.json").EnumerateArray().First(x => x.GetProperty("case").GetString() == name);
        FixtureFile inputs = new(FixtureFolder.At("sampler-step", name + ".inputs.safetensors"));
        FixtureFile outputs = new(FixtureFolder.At("sampler-step", name + ".outputs.safetensors"));
        int steps = golden.GetProperty("T").GetInt32();
        int images = golden.GetProperty("batch").GetInt32();
        int codes = golden.GetProperty("height").GetInt32() * golden.GetProperty("width").GetInt32();
        int vocabulary = golden.GetProperty("codebook").GetInt32();
        int maskToken = golden.GetProperty("mask_token_id").GetInt32();
        HandMadeSettings hand = new() { Guidance = golden.GetProperty("guidance").GetDouble(), SinglePrecision = true };
        int count = images * codes;
        float[] conditional = inputs.Floats("cond");
        float[] unconditional = inputs.Floats("uncond");
        float[] uniform = inputs.Floats("uniform");
        int[] drawn = inputs.Ints("tokens");
        double[] confidences = outputs.Doubles("confidence");
        int[] masks = outputs.Ints("mask");
        int[] canvases = outputs.Ints("canvas");

        using SamplingScope scope = new(2);
        Tensor canvas = scope.Put(new Shape(images, codes), inputs.Ints("start"));
        Tensor decodedStep = scope.Put(new Shape(images, codes), new int[count]);
        Tensor trajectories = scope.Put(new int[images]);
        for (int t = 0; t < steps; t++)
        {
            ScheduleAction action = hand.At(t, steps);
            Tensor tokens = scope.Put(new Shape(images, codes), drawn.AsSpan(t * count, count).ToArray());
            Tensor logProb = scope.New(new Shape(count));
            Tensor confidence = scope.New(new Shape(images, codes));
            scope.Backend.LogProbGather(
                Rows(scope, conditional, t, images, codes, vocabulary),
                Rows(scope, unconditional, t, images, codes, vocabulary),
                scope.Put([.. Enumerable.Repeat((float)action.Guidance, count)]),
                scope.Put([.. Enumerable.Repeat(1f, count)]),
                tokens.Reshape(new Shape(count)),
                logProb,
                confidence.Reshape(new Shape(count)),
                default,
                default
            );

            float[] noisy = scope.Floats(confidence);
            int[] before = scope.Ints(canvas);
            int[] counts = new int[images];
            for (int b = 0; b < images; b++)
            {
                int masked = before.AsSpan(b * codes, codes).Count(maskToken);
                Assert.Equal(outputs.Ints("unknown_before")[(t * images) + b], masked);
                counts[b] = RemaskCount.OfSingle(codes, (float)action.Remask, masked, t, steps);
                if (t < steps - 1)
                {
                    Assert.Equal(outputs.Ints("mask_len")[(t * images) + b], counts[b]);
                }
            }

            for (int i = 0; i < count && t < steps - 1; i++)
            {
                float u = Math.Max(uniform[(t * count) + i], 1e-20f);
                float gumbel = -MathF.Log(Math.Max(-MathF.Log(u), 1e-20f));
                noisy[i] += (float)action.RemaskTemperature * gumbel;
                if (before[i] == maskToken)
                {
                    Assert.Equal(confidences[(t * count) + i], noisy[i], 2e-5);
                }
            }

            scope.Backend.Remask(
                new RemaskOperands
                {
                    Canvas = canvas,
                    Candidates = tokens,
                    Confidence = scope.Put(new Shape(images, codes), noisy),
                    LogProb = scope.New(new Shape(images, codes)),
                    Actions = scope.Put(
                        new Shape(images, 4),
                        [.. Enumerable.Repeat((double[])[action.Remask, 1, 0, action.Guidance], images).SelectMany(a => a)]
                    ),
                    StartShare = scope.Put(new Shape(images), [.. Enumerable.Repeat(1.0, images)]),
                    Trajectories = trajectories,
                    DecodedStep = decodedStep,
                    DecodedLogProb = scope.New(new Shape(images, codes)),
                },
                scope.Noise(1, RandomStream.Remask, t),
                steps,
                CountRule.Single,
                maskToken
            );
            int[] after = scope.Ints(canvas);
            Assert.Equal(canvases.AsSpan(t * count, count).ToArray(), after);
            if (t < steps - 1)
            {
                Assert.Equal(masks.AsSpan(t * count, count).ToArray(), after.Select(x => x == maskToken ? 1 : 0));
            }
        }
    }

    // The reference keeps logits as [T,B,V,positions].
    private static Tensor Rows(SamplingScope scope, float[] logits, int step, int images, int codes, int vocabulary)
    {
        float[] rows = new float[images * codes * vocabulary];
        for (int b = 0; b < images; b++)
        {
            for (int v = 0; v < vocabulary; v++)
            {
                for (int i = 0; i < codes; i++)
                {
                    rows[(((b * codes) + i) * vocabulary) + v] = logits[(((((step * images) + b) * vocabulary) + v) * codes) + i];
                }
            }
        }

        return scope.Put(new Shape(images * codes, vocabulary), rows);
    }
}
