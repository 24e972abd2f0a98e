using CoGrpo.Model;
using CoGrpo.Model.Clip;
using CoGrpo.Model.Images;
using CoGrpo.Model.Rewards;
using CoGrpo.Model.Tokenizers;
using CoGrpo.Rl.Configuration;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Rl.Rewards;

/// <summary>The rewards for pictures of any prompt, by name.</summary>
public static class RewardRegistry
{
    /// <summary>The name of a reward in configurations and logs.</summary>
    public static string NameOf(RewardName name) => SettingInfo.EnumNames(typeof(RewardName))[(int)name];

    /// <summary>
    /// Makes the reward that <paramref name="reward"/> describes; networks live on <paramref name="backend"/>. A remote one only makes note of its
    /// server. Owned by the caller, to be disposed if it is disposable.
    /// </summary>
    /// <exception cref="ModelException">Its weights are missing or of another network, or it is no reward for pictures of any prompt.</exception>
    /// <exception cref="Runtime.Files.WeightsFileException">Its weights are damaged.</exception>
    public static IReward Create(RewardConfiguration reward, IBackend backend)
    {
        ArgumentNullException.ThrowIfNull(reward);
        string name = reward is { Name: RewardName.HpsV2, Version: HpsVersionName.V21 } ? "hpsv2.1" : NameOf(reward.Name);
        string Weights() => reward.Weights
            ?? throw new ModelException($"{name}: wanted weights, the published file or a folder that holds it, none are configured; set weights of this reward in train.rewards or train.evaluation.metrics");
        return reward.Name switch
        {
            RewardName.ImageReward => Network(ImageRewardModel.Load(Weights(), backend), new BertTokenizer(), size => new CropPreprocessing(size)),
            RewardName.HpsV2 => Network(
                HpsModel.Load(Weights(), reward.Version == HpsVersionName.V20 ? HpsVersion.V20 : HpsVersion.V21, backend),
                ClipTokenizer.OpenClip,
                size => new PadPreprocessing(reward.Antialias, size)
            ),
            RewardName.ClipScore => Network(ClipScoreModel.Load(Weights(), backend), ClipTokenizer.OpenClip, size => new CropPreprocessing(size)),
            RewardName.Mps => Network(Mps(Weights(), backend), ClipTokenizer.Published, size => new CropPreprocessing(size)),
            RewardName.Remote => Remote(reward),
            _ => throw new ModelException(
                $"{name}: wanted a reward for pictures of any prompt, got one of EmojiScenes; choose imageReward, hpsv2, clipScore, mps or remote"
            ),
        };

        NetworkReward Network(IRewardModel model, ITextTokenizer tokenizer, Func<int, IImagePreprocessing> preprocessing) =>
            new(name, model, tokenizer, preprocessing(model.ImageSize), reward.Batch);
    }

    private static RemoteReward Remote(RewardConfiguration reward)
    {
        // Several servers may be asked: each has a name of its own in logs.
        var url = new Uri(reward.Url ?? throw new ModelException("remote: wanted the url of a server, none is configured; set url of this reward"));
        return new RemoteReward(
            $"{NameOf(RewardName.Remote)}:{url.Authority}{url.AbsolutePath}".TrimEnd('/'),
            url,
            reward.Batch,
            TimeSpan.FromSeconds(reward.TimeoutSeconds),
            reward.Retries
        );
    }

    /// <summary>
    /// The network that <see cref="Create"/> would load, with zero weights, and the ids of its longest prompt; null for a reward without one. For
    /// plans. Owned by the caller.
    /// </summary>
    /// <exception cref="ModelException">A configuration beside its weights is malformed.</exception>
    internal static (IRewardModel Model, int[] LongestPrompt)? Planned(RewardConfiguration reward, IBackend backend)
    {
        int[] clip = [.. Enumerable.Range(0, ClipTokenizer.OpenClip.Length)];
        return reward.Name switch
        {
            RewardName.ImageReward => (ImageRewardModel.Planned(reward.Weights, backend), [.. Enumerable.Range(0, new BertTokenizer().Length)]),
            RewardName.HpsV2 => (new HpsModel(ClipModel.Planned(reward.Weights, backend), HpsVersion.V20), clip),
            RewardName.ClipScore => (new ClipScoreModel(ClipModel.Planned(reward.Weights, backend)), clip),
            RewardName.Mps => (MpsModel.Planned(reward.Weights, Condition(), backend), clip),
            _ => null,
        };
    }

    private static MpsModel Mps(string weights, IBackend backend) => MpsModel.Load(weights, Condition(), backend);

    private static int[] Condition()
    {
        ClipTokenizer tokenizer = ClipTokenizer.Published;
        int[] ids = new int[tokenizer.Length];
        int count = tokenizer.Encode(MpsConfig.OverallCondition, ids);
        return ids[..count];
    }
}
