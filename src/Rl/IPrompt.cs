namespace CoGrpo.Rl;

/// <summary>
/// What a picture was asked to show. Rewards that know more than the text (a task, its arguments) ask for their own type of prompt.
/// </summary>
public interface IPrompt
{
    /// <summary>The words, as the text tokenizer reads them.</summary>
    string Text { get; }
}
