using System.CommandLine;
using CoGrpo.Cli.Commands;
using CoGrpo.Rl.Configuration;

namespace CoGrpo.Tests.Cli;

/// <summary>The list of rewards on a command line.</summary>
public sealed class RewardOptionTests
{
    [Theory]
    [InlineData("ImageReward=a, HpsV2=b, Mps=c", "imageReward=a", "hpsv2=b", "mps=c")]
    [InlineData("ImageReward=a, HpsV2=b, Mps=c", "imageReward=a,hpsv2=b,mps=c")]
    [InlineData("ImageReward=a, HpsV2=b, Mps=c", "imageReward=a,HPSv2:v2.1=b", "mps=c")]
    [InlineData("ImageReward=a,b/c,d, Remote=http://x/?y=1,2, ClipScore=mps,2", "imageReward=a,b/c,d,remote=http://x/?y=1,2,clipScore=mps,2")]
    [InlineData("ImageReward=a,mps/b,mpsx,c.pt", "imageReward=a,mps/b,mpsx,c.pt")]
    [InlineData("ImageReward=a, ClipScore=c", "imageReward=a,clipScore")]
    [InlineData("ClipScore=c, HpsV2=b", "clipScore,hpsv2=b")]
    [InlineData("ClipScore=c, Mps=d", "clipScore,,mps")]
    public void Entries_are_separated_by_spaces_and_by_commas_before_names(string expected, params string[] words)
    {
        RunConfiguration configuration = new()
        {
            Train = new() { Rewards = [new() { Name = RewardName.ClipScore, Weights = "c" }, new() { Name = RewardName.Mps, Weights = "d" }] },
        };
        var option = new RewardOption();
        var command = new RootCommand { option.Option };
        IReadOnlyList<RewardConfiguration> rewards = option.Read(command.Parse(["--rewards", .. words]), configuration);
        Assert.Equal(expected, string.Join(", ", rewards.Select(reward => $"{reward.Name}={reward.Url ?? reward.Weights}")));
    }
}
