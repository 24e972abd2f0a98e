namespace CoGrpo.Tests.Emulator;

/// <summary>
/// Architectures and compilers that sample programs are compiled for: code for the oldest and the newest device by either compiler.
/// </summary>
internal static class SampleTargets
{
    public static TheoryData<string, bool> Some => new() { { "sm_70", true }, { "sm_75", false }, { "sm_86", true }, { "sm_90", false } };

    /// <summary>Those with bf16, asynchronous copies and the larger matrix instructions.</summary>
    public static TheoryData<string, bool> Ampere => new() { { "sm_80", true }, { "sm_90", false } };
}
