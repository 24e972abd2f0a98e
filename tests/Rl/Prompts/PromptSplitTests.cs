using CoGrpo.Model;
using CoGrpo.Rl.Prompts;

namespace CoGrpo.Tests.Rl.Prompts;

/// <summary>Which prompts are trained on and which are only evaluated on.</summary>
public sealed class PromptSplitTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void One_in_64_is_held_out_whatever_the_order_and_the_repetitions()
    {
        string[] prompts = [.. Enumerable.Range(0, 300).Select(i => $"prompt {i}")];
        PromptSplit split = PromptSplit.Read([Written("a", prompts[..200]), Written("b", [.. prompts[150..], "prompt 7"])], []);
        Assert.Equal(4, split.HeldOut.Count);
        Assert.Equal(prompts, split.Train.Concat(split.HeldOut).Select(prompt => prompt.Text).OrderBy(text => Array.IndexOf(prompts, text)));
        Assert.Equal(split.Train.Select(prompt => prompt.Text), prompts.Except(split.HeldOut.Select(prompt => prompt.Text)));
        PromptSplit reversed = PromptSplit.Read([Written("c", [.. prompts.Reverse()])], []);
        Assert.Equal(split.HeldOut.Select(prompt => prompt.Text).Order(), reversed.HeldOut.Select(prompt => prompt.Text).Order());
    }

    [Fact]
    public void Prompts_of_held_out_files_are_taken_out_of_the_others()
    {
        PromptSplit split = PromptSplit.Read([Written("a", "x", "y", "z")], [Written("b", "y", "other", "y")]);
        Assert.Equal(["x", "z"], split.Train.Select(prompt => prompt.Text));
        Assert.Equal(["y", "other"], split.HeldOut.Select(prompt => prompt.Text));
        Assert.Single(PromptSplit.Read([Written("a", "x", "y")], []).HeldOut);
    }

    [Fact]
    public void Nothing_left_to_train_on_is_refused()
    {
        string one = Written("a", "x", "x"),
            other = Written("b", "x", "y");
        Assert.Contains(
            "wanted a prompt to train on beside those held out",
            Assert.Throws<ModelException>(() => PromptSplit.Read([one], [])).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "wanted a prompt to train on beside those held out",
            Assert.Throws<ModelException>(() => PromptSplit.Read([one], [other])).Message,
            StringComparison.Ordinal
        );
    }

    private string Written(string name, params string[] prompts)
    {
        string path = _folder.File($"{name}.txt");
        File.WriteAllLines(path, prompts);
        return path;
    }
}
