using CoGrpo.Rl;
using CoGrpo.Rl.Prompts;

namespace CoGrpo.Tests.Rl.Prompts;

public sealed class CodeDiversityWatchTests
{
    private static readonly IPrompt[] Six = [.. Enumerable.Range(0, 6).Select(i => new TextPrompt($"{i / 3}"))];

    [Fact]
    public void Diversity_is_the_share_of_different_positions_over_the_pairs_of_groups()
    {
        // Pairs of the first group differ in 1, 2 and 1 of 2 positions, those of the second in none.
        (double judge, double diversity) = new CodeDiversityWatch().Watch(Six, [1, 2, 1, 3, 4, 3, 5, 5, 5, 5, 5, 5], 3);
        Assert.Equal(4 / 12.0, diversity, 15);
        Assert.True(double.IsNaN(judge));
    }

    [Fact]
    public void Equal_pictures_have_none_and_groups_of_one_have_no_pairs()
    {
        Assert.Equal(0, new CodeDiversityWatch().Watch(Six, [1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4], 3).Diversity);
        Assert.Equal(1, new CodeDiversityWatch().Watch(Six, [1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6], 3).Diversity);
        Assert.True(double.IsNaN(new CodeDiversityWatch().Watch(Six, new int[6], 1).Diversity));
    }
}
