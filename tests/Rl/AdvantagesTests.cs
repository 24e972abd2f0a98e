using CoGrpo.Rl;
using CoGrpo.Tests.Fixtures;

namespace CoGrpo.Tests.Rl;

/// <summary>Group-relative advantages against golden values and their invariants.</summary>
public class AdvantagesTests
{
    [Theory]
    [Trait("Category", "fixtures")]
    [InlineData("eps1e4", 1e-4)]
    [InlineData("eps_hps1e6", 1e-6)]
    public void MatchesGoldenValues(string name, double second)
    {
        FixtureFile file = new(FixtureFolder.At("grpo", "model-phase", "advantage.safetensors"));
        int group = file.Shape("imagereward")[1];
        int groups = file.Shape("imagereward")[0];
        int images = group * groups;
        double[] rewards = [.. file.Doubles("imagereward"), .. file.Doubles("hps")];
        double[] advantages = new double[images];
        double[] own = new double[2 * images];
        int[] zero = new int[2];
        Advantages rule = new(new() { Epsilons = [1e-4, second] });
        Assert.Equal(0, rule.Compute(rewards, group, advantages, own, zero));
        AssertNear(file.Doubles(name + ".adv"), advantages);
        AssertNear(file.Doubles(name + ".adv_ir"), own[..images]);
        AssertNear(file.Doubles(name + ".adv_hps"), own[images..]);
        Assert.Equal([1, 1], zero);
        for (int p = 0; p < groups; p++)
        {
            Assert.Equal(0, advantages.Skip(p * group).Take(group).Sum(), 1e-12);
        }
    }

    [Fact]
    public void OrderOfGroupsChangesNothing()
    {
        double[] rewards = [1, 2, 4, 7, 3, 3.5, 0.1, 0.2, 0.1, 0.9, 0.4, 0.3];
        double[] swapped = [7, 3, 3.5, 1, 2, 4, 0.9, 0.4, 0.3, 0.1, 0.2, 0.1];
        foreach (AdvantageMix mix in Enum.GetValues<AdvantageMix>())
        {
            Advantages rule = new(new() { Mix = mix });
            double[] first = new double[6];
            double[] second = new double[6];
            rule.Compute(rewards, 3, first);
            rule.Compute(swapped, 3, second);
            Assert.Equal(first[..3], second[3..]);
            Assert.Equal(first[3..], second[..3]);
        }
    }

    [Fact]
    public void SumMixNormalisesTheWeightedSum()
    {
        double[] rewards = [1, 2, 4, 0.1, 0.2, 0.1];
        double[] sums = [0.3 + 0.07, 0.6 + 0.14, 1.2 + 0.07];
        double[] advantages = new double[3];
        new Advantages(new() { Mix = AdvantageMix.Sums, Weights = [0.3, 0.7], SumEpsilon = 0.5 }).Compute(rewards, 3, advantages);
        double mean = sums.Average();
        double deviation = Math.Sqrt(sums.Sum(x => (x - mean) * (x - mean)) / 2);
        AssertNear([.. sums.Select(x => (x - mean) / (deviation + 0.5))], advantages);
    }

    [Fact]
    public void EqualRewardsHaveNoAdvantage()
    {
        foreach (AdvantageMix mix in Enum.GetValues<AdvantageMix>())
        {
            double[] advantages = [9, 9, 9, 9];
            Assert.Equal(2, new Advantages(new() { Mix = mix }).Compute([1, 1, 5, 5, 0.3, 0.3, 0.2, 0.2], 2, advantages));
            Assert.All(advantages, x => Assert.Equal(0, x));
        }
    }

    [Fact]
    public void BadInputIsNamed()
    {
        Advantages rule = new(new());
        Assert.Throws<ArgumentException>(() => rule.Compute([1, 2, 3], 3, new double[3]));
        Assert.Throws<ArgumentException>(() => rule.Compute([1, 2, 3, 4, 5, double.NaN], 3, new double[3]));
        Assert.Throws<ArgumentException>(() => new Advantages(new() { Weights = [1] }));
    }

    private static void AssertNear(double[] expected, double[] actual)
    {
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], actual[i], 1e-12 * Math.Max(1, Math.Abs(expected[i])));
        }
    }
}
