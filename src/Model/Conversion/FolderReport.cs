namespace CoGrpo.Model.Conversion;

/// <summary>What <see cref="FolderVerification"/> found.</summary>
/// <param name="Networks">The networks that could be opened.</param>
/// <param name="Missing">Parts of the published layout that are not there, which only an export needs.</param>
/// <param name="HasChecksums">Whether the folder has a manifest, so that every byte was compared.</param>
/// <param name="Problems">All that is wrong, each in one line.</param>
public sealed record FolderReport(
    IReadOnlyList<ConvertedNetwork> Networks,
    IReadOnlyList<string> Missing,
    bool HasChecksums,
    IReadOnlyList<string> Problems
);
