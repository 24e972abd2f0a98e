namespace CoGrpo.Rl.EmojiScenes;

/// <summary>Reads a text as a prompt of one of the six tasks.</summary>
internal static class PromptParser
{
    private const string Forms = "write one of: a dog; a dog and a cat; three dogs; a red heart; a dog left of a cat; a red heart and a blue circle";

    /// <inheritdoc cref="Prompt.Parse"/>
    public static Prompt Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] words = text.ToLowerInvariant().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        foreach (string word in words)
        {
            SceneWords.Tokenizer.IdOf(word);
        }

        try
        {
            return words.Length == 2 && SceneWords.Numbers.IndexOf(words[0]) is int number and >= 0
                ? Counted(words[1], number + 1) ?? throw NoPrompt(text)
                : Named(words) ?? throw NoPrompt(text);
        }
        catch (ArgumentException unequal)
        {
            throw new FormatException($"prompt '{text}': {unequal.Message}", unequal);
        }
    }

    private static Prompt? Counted(string noun, int count)
    {
        int kind = (count == 1 ? SceneWords.Kinds : SceneWords.Plurals).IndexOf(noun);
        return kind < 0 ? null : Prompt.Counting(kind, count);
    }

    private static Prompt? Named(ReadOnlySpan<string> words)
    {
        if (!TakeNoun(ref words, out int first, out int firstColour))
        {
            return null;
        }

        if (words.IsEmpty)
        {
            return firstColour < 0 ? Prompt.Single(first) : Prompt.Colours(firstColour, first - SceneWords.ObjectCount);
        }

        int relation = TakeRelation(ref words);
        if (relation < -1 || !TakeNoun(ref words, out int second, out int secondColour) || !words.IsEmpty)
        {
            return null;
        }

        if (firstColour < 0 && secondColour < 0)
        {
            return relation < 0 ? Prompt.Two(first, second) : Prompt.Position(first, second, (Relation)relation);
        }

        return relation >= 0 || firstColour < 0 || secondColour < 0
            ? null
            : Prompt.Attribution(firstColour, first - SceneWords.ObjectCount, secondColour, second - SceneWords.ObjectCount);
    }

    private static bool TakeNoun(ref ReadOnlySpan<string> words, out int kind, out int colour)
    {
        kind = colour = -1;
        if (words.Length < 2 || words[0] is not ("a" or "an"))
        {
            return false;
        }

        colour = SceneWords.Colours.IndexOf(words[1]);
        int noun = colour < 0 ? 1 : 2;
        kind = noun < words.Length ? SceneWords.Kinds.IndexOf(words[noun]) : -1;
        if (kind < (colour < 0 ? 0 : SceneWords.ObjectCount))
        {
            return false;
        }

        words = words[(noun + 1)..];
        return true;
    }

    /// <summary>The relation, -1 for «and», -2 for neither.</summary>
    private static int TakeRelation(ref ReadOnlySpan<string> words)
    {
        bool sideways = words.Length > 1 && words[1] == "of";
        (int relation, int taken) = words[0] switch
        {
            "and" => (-1, 1),
            "left" when sideways => ((int)Relation.LeftOf, 2),
            "right" when sideways => ((int)Relation.RightOf, 2),
            "above" => ((int)Relation.Above, 1),
            "below" => ((int)Relation.Below, 1),
            _ => (-2, 0),
        };
        words = words[taken..];
        return relation;
    }

    private static FormatException NoPrompt(string text) =>
        new($"prompt '{(text.Length <= 100 ? text : text[..97] + "...")}' fits none of the six tasks; {Forms}");
}
