namespace CoGrpo.Model.Tokenizers;

/// <summary>What is done to a prompt before a <see cref="ClipTokenizer"/> splits it, and which strings in it are special.</summary>
public enum ClipCleaning
{
    /// <summary>
    /// As the tokenizer of a Meissonic folder: special tokens (<c>&lt;|startoftext|&gt;</c>, <c>&lt;|endoftext|&gt;</c> and the padding, <c>!</c>)
    /// are taken out verbatim, controls are dropped, white space becomes one blank, ideographs stand alone, form C, lower case.
    /// </summary>
    HuggingFace,

    /// <summary>
    /// As open_clip with ftfy: repair of characters, HTML references, white space, lower case; <c>&lt;start_of_text&gt;</c> and
    /// <c>&lt;end_of_text&gt;</c> are special. For scoring models.
    /// </summary>
    OpenClip,
}
