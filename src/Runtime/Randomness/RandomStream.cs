namespace CoGrpo.Runtime.Randomness;

/// <summary>
/// What random numbers are for. Streams of one seed are independent; the numbers are part of the file formats and never change meaning.
/// </summary>
public enum RandomStream : uint
{
    /// <summary>Categorical draws of codes (Gumbel per code).</summary>
    TokenSampling = 1,

    /// <summary>Gumbel noise of re-masking.</summary>
    Remask = 2,

    /// <summary>Exploration noise of the schedule policy.</summary>
    ScheduleExploration = 3,

    /// <summary>Which prompts an iteration trains on.</summary>
    Prompts = 4,

    /// <summary>Pictures composed for pre-training.</summary>
    Pictures = 5,

    /// <summary>Mask ratios and positions of pre-training.</summary>
    Masking = 6,

    /// <summary>Text dropout of pre-training.</summary>
    TextDropout = 7,

    /// <summary>Parameter initialisation.</summary>
    Initialisation = 8,

    /// <summary>Stratified choice of trained steps.</summary>
    StepSubset = 9,

    /// <summary>Evaluation prompts.</summary>
    Evaluation = 10,

    /// <summary>Which codes of a picture to start from are masked.</summary>
    StartCanvas = 11,
}
