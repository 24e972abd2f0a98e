using System.IO.Hashing;
using System.Runtime.InteropServices;
using CoGrpo.Model;
using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Rl.Prompts;

/// <summary>The prompts a run trains on and those it only evaluates on; no prompt is in both.</summary>
public sealed class PromptSplit
{
    /// <summary>Without files of held-out prompts, one in so many is held out.</summary>
    public const int HeldOutShare = 64;

    private PromptSplit(TextPrompt[] train, TextPrompt[] heldOut) => (Train, HeldOut) = (train, heldOut);

    /// <summary>In the order of the files.</summary>
    public IReadOnlyList<TextPrompt> Train { get; }

    /// <summary>Likewise.</summary>
    public IReadOnlyList<TextPrompt> HeldOut { get; }

    /// <summary>
    /// Reads files and leaves out repetitions. Held out are the prompts of <paramref name="heldOutFiles"/>, which are taken out of the others;
    /// without such files one in <see cref="HeldOutShare"/> prompts, at least one: those whose hashes are lowest, whatever their order.
    /// </summary>
    /// <exception cref="ModelException">A file cannot be used, or nothing is left to train on.</exception>
    public static PromptSplit Read(IReadOnlyList<string> files, IReadOnlyList<string> heldOutFiles)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(heldOutFiles);
        string[] all = Distinct(files);
        HashSet<string> heldOut = heldOutFiles.Count > 0
            ? [.. Distinct(heldOutFiles)]
            : [.. all.OrderBy(Hash).ThenBy(prompt => prompt, StringComparer.Ordinal).Take(Math.Max(1, all.Length / HeldOutShare))];
        TextPrompt[] train = [.. all.Where(prompt => !heldOut.Contains(prompt)).Select(prompt => new TextPrompt(prompt))];
        if (train.Length == 0)
        {
            throw new ModelException($"{string.Join(", ", files)}: wanted a prompt to train on beside those held out, found none; give more prompts");
        }

        string[] kept = heldOutFiles.Count > 0 ? Distinct(heldOutFiles) : [.. all.Where(heldOut.Contains)];
        return new PromptSplit(train, [.. kept.Select(prompt => new TextPrompt(prompt))]);
    }

    /// <summary>So many of the prompts, or all of them if there are fewer; which ones and in what order, <paramref name="seed"/> says.</summary>
    public static TextPrompt[] Choose(IReadOnlyList<TextPrompt> prompts, int count, ulong seed)
    {
        TextPrompt[] all = [.. prompts];
        var random = new RandomSequence(seed, RandomStream.Evaluation, 0);
        count = Math.Min(all.Length, count);
        for (int i = 0; i < count; i++)
        {
            int other = i + random.Next(all.Length - i);
            (all[i], all[other]) = (all[other], all[i]);
        }

        return all[..count];
    }

    private static string[] Distinct(IReadOnlyList<string> files) => [.. files.SelectMany(PromptFile.Read).Distinct(StringComparer.Ordinal)];

    private static ulong Hash(string prompt) => XxHash3.HashToUInt64(MemoryMarshal.AsBytes(prompt.AsSpan()));
}
